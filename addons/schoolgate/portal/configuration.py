"""Django's settings, made from the machine's: there is no second file."""

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings as django_settings
from django.utils.csp import CSP

from schoolgate.portal.house import House
from schoolgate.settings import Settings
from schoolgate.settings.machine import split_address
from schoolgate.storage import is_postgresql, sqlite_path
from schoolgate.storage.postgresql import LINE

STATIC_DIR = Path(__file__).parent / "static"
STYLE_SHEET = STATIC_DIR / "portal" / "portal.css"

_PRIVATE_FILE = 0o600
_WORKING_DAY_SECONDS = 10 * 3600
_YEAR_SECONDS = 365 * 86_400
_BUSY_TIMEOUT_SECONDS = 5
_MOST_LIMITS = 100_000
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
# Nothing from elsewhere, nothing written into a page, no frame around one.
POLICY = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.NONCE],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
}


def configure(settings: Settings, house: House | None) -> None:
    """Tell Django everything, once for a process.

    Args:
        settings: of this machine.
        house: what the pages work with; None for commands, which show no pages.

    Raises:
        OSError: when the secret cannot be kept.
    """
    import django  # noqa: PLC0415 - the settings come first

    if not django_settings.configured:
        django_settings.configure(**django_options(settings, house))
        django.setup()


def django_options(settings: Settings, house: House | None) -> dict[str, Any]:
    """Give Django's settings.

    Raises:
        OSError: when the secret cannot be kept.
    """
    listens_on, _ = split_address(settings.portal.listen)
    return {
        "DEBUG": False,
        "SCHOOLGATE_HOUSE": house,
        "SECRET_KEY": _secret(settings.state_dir / "portal.key"),
        "ALLOWED_HOSTS": [settings.portal.host, listens_on, *_LOCAL],
        "ROOT_URLCONF": "schoolgate.portal.urls",
        "INSTALLED_APPS": [
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            "allauth",
            "allauth.account",
            "allauth.mfa",
            "allauth.socialaccount",
            "allauth.socialaccount.providers.openid_connect",
            "allauth.usersessions",
            "schoolgate.portal.accounts",
        ],
        "MIDDLEWARE": [
            # First, so that what those below refuse has their headers, too.
            "schoolgate.portal.middleware.secure_cookies",
            "schoolgate.portal.middleware.nothing_is_kept",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.csp.ContentSecurityPolicyMiddleware",
            "whitenoise.middleware.WhiteNoiseMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "allauth.account.middleware.AccountMiddleware",
            "schoolgate.portal.middleware.text_only",
        ],
        "TEMPLATES": _templates(),
        "DATABASES": {"default": _database(settings)},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "CACHES": {
            "default": {
                # Who guesses must not be able to begin anew by ending the portal.
                "BACKEND": "django.core.cache.backends.db.DatabaseCache",
                "LOCATION": "portal_limits",
                # Nor by making so many entries that others are dropped for them.
                "OPTIONS": {"MAX_ENTRIES": _MOST_LIMITS},
            }
        },
        "STATIC_URL": "/static/",
        "STATICFILES_DIRS": [STATIC_DIR] if STATIC_DIR.is_dir() else [],
        "WHITENOISE_USE_FINDERS": True,
        "WHITENOISE_AUTOREFRESH": False,
        "LANGUAGE_CODE": "en-gb",
        "TIME_ZONE": "Europe/London",
        "USE_TZ": True,
        "LOGGING_CONFIG": None,
        "MAILERS": {"default": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend"}},
        **_protection(),
        **_accounts(house),
    }


def _templates() -> list[dict[str, Any]]:
    processors = [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
        "django.template.context_processors.csp",
        "schoolgate.portal.templating.everywhere",
    ]
    return [
        {
            "BACKEND": "django.template.backends.jinja2.Jinja2",
            "DIRS": [],
            "OPTIONS": {
                "environment": "schoolgate.portal.templating.environment",
                "context_processors": processors,
            },
        },
        # The sentences that allauth says are templates of its own.
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": processors[:3]},
        },
    ]


def _database(settings: Settings) -> dict[str, Any]:
    if is_postgresql(settings.database_url):
        from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - only who has a server needs it

        scheme, _, rest = settings.database_url.partition("://")
        parts = conninfo_to_dict(f"{scheme.partition('+')[0]}://{rest}")
        names = {
            "NAME": "dbname",
            "USER": "user",
            "PASSWORD": "password",
            "HOST": "host",
            "PORT": "port",
        }
        return {
            "ENGINE": "django.db.backends.postgresql",
            **{name: parts.pop(part, "") for name, part in names.items()},
            "OPTIONS": {**LINE, **parts},
        }
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(sqlite_path(settings.database_url)),
        "OPTIONS": {
            "timeout": _BUSY_TIMEOUT_SECONDS,
            "transaction_mode": "IMMEDIATE",
            # As `storage` opens it.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        },
    }


def _protection() -> dict[str, Any]:
    return {
        "SECURE_CSP": POLICY,
        # Sent over TLS only.
        "SECURE_HSTS_SECONDS": _YEAR_SECONDS,
        "SECURE_REFERRERPOLICY": "same-origin",
        "X_FRAME_OPTIONS": "DENY",
        "SESSION_COOKIE_NAME": "schoolgate",
        "SESSION_COOKIE_AGE": _WORKING_DAY_SECONDS,
        "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_NAME": "schoolgate_form",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Lax",
        "CSRF_FAILURE_VIEW": "schoolgate.portal.views.errors.form_is_old",
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 1_048_576,
        "DATA_UPLOAD_MAX_NUMBER_FIELDS": 200,
        "PASSWORD_HASHERS": ["schoolgate.portal.accounts.hashing.Argon2"],
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
            for name, options in (
                ("UserAttributeSimilarityValidator", {"user_attributes": ("email", "name")}),
                ("MinimumLengthValidator", {"min_length": 12}),
                ("CommonPasswordValidator", {}),
            )
        ],
    }


def _accounts(house: House | None) -> dict[str, Any]:
    school = house.engine().policy.school if house is not None else "schoolgate"
    return {
        "AUTH_USER_MODEL": "accounts.Person",
        "AUTHENTICATION_BACKENDS": ["allauth.account.auth_backends.AuthenticationBackend"],
        "LOGIN_URL": "account_login",
        "LOGIN_REDIRECT_URL": "start",
        "ACCOUNT_LOGOUT_REDIRECT_URL": "start",
        "ACCOUNT_ADAPTER": "schoolgate.portal.accounts.adapter.Adapter",
        "ACCOUNT_LOGIN_METHODS": {"email"},
        "ACCOUNT_SIGNUP_FIELDS": ["email*", "password1*", "password2*"],
        "ACCOUNT_USER_MODEL_USERNAME_FIELD": None,
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "ACCOUNT_SESSION_REMEMBER": False,
        "ACCOUNT_RATE_LIMITS": {
            "login": "30/m/ip",
            "login_failed": "10/m/ip,5/5m/key",
            "reauthenticate": "10/m/user",
            "change_password": "5/m/user",
            "device_sign_in": "20/m/ip,5/5m/key",
            "first_account": "10/m/ip",
            "ask_for_site": "20/5m/user",
            "tell_of_site": "10/5m/ip",
        },
        "SOCIALACCOUNT_ADAPTER": "schoolgate.portal.accounts.provider.SocialAdapter",
        "SOCIALACCOUNT_PROVIDERS": {
            "openid_connect": {
                "provider_class": "schoolgate.portal.accounts.provider.SchoolProvider"
            }
        },
        "SOCIALACCOUNT_STORE_TOKENS": False,
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
        "MFA_TOTP_ISSUER": quote(school, safe=" "),
        "MFA_PASSKEY_LOGIN_ENABLED": False,
        # Clocks of phones differ (RFC 6238, 5.2: one step at most).
        "MFA_TOTP_TOLERANCE": 1,
        "MFA_FORMS": {
            "authenticate": "schoolgate.portal.accounts.codes.AuthenticateForm",
            "reauthenticate": "schoolgate.portal.accounts.codes.ReauthenticateForm",
            "add_webauthn": "schoolgate.portal.accounts.keys.AddForm",
            "authenticate_webauthn": "schoolgate.portal.accounts.keys.AuthenticateForm",
            "reauthenticate_webauthn": "schoolgate.portal.accounts.keys.ReauthenticateForm",
            "activate_totp": "schoolgate.portal.accounts.codes.ActivateForm",
        },
        "USERSESSIONS_TRACK_ACTIVITY": False,
    }


def _secret(file: Path) -> str:
    """Give what signs sessions and forms, made on first use."""
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        made = secrets.token_urlsafe(48)
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        aside.touch(mode=_PRIVATE_FILE)
        aside.write_text(made + "\n")
        try:
            # Whoever comes second takes what the first made.
            file.hardlink_to(aside)
        except FileExistsError:
            return file.read_text().strip()
        finally:
            aside.unlink()
        return made
