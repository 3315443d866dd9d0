"""The school's own lists, read and changed: what it opens and closes whatever other lists say."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from schoolgate.core.errors import ConfigurationError, RefusedError
from schoolgate.lists import ALLOW, BLOCK, LocalFile, LocalLine, why_not_writable
from schoolgate.portal.again import prove_again
from schoolgate.portal.house import House, house
from schoolgate.portal.words import said
from schoolgate.services import local_lists
from schoolgate.services.local_lists import Preview

_NAMES = {
    BLOCK: "Block list (block.txt): closed for everybody",
    ALLOW: "Allow list (allow.txt): open for everybody",
}
_SEEN_AGAIN = "The lists were changed meanwhile. This is how they are now: look at them again."


class ChangeForm(forms.Form):
    """Why a list is changed, and in which state it was seen."""

    reason = forms.CharField(label="Why", max_length=200)
    seen = forms.CharField(widget=forms.HiddenInput, max_length=200)


class AddForm(ChangeForm):
    """An entry to be added."""

    list = forms.ChoiceField(label="To which list", choices=list(_NAMES.items()))
    site = forms.CharField(
        label="Site",
        help_text="host or host/path. =host is the host alone, *.host only what is below it.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
    field_order = ("list", "site", "reason")


class RemoveForm(ChangeForm):
    """A line to be taken away."""

    list = forms.ChoiceField(choices=list(_NAMES.items()), widget=forms.HiddenInput)
    line = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


def listed(request: HttpRequest) -> HttpResponse:
    """Show both lists as they are now."""
    try:
        files = local_lists.read_lists(house().settings.lists.local)
    except ConfigurationError as error:
        return render(request, "portal/lists.html", {"lists": [], "problem": str(error)})
    shown = {
        "lists": [(_NAMES[file.name], file, why_not_writable(file)) for file in files],
        "seen": _seen(files),
        "faulty": any(line.entry is None for file in files for line in file.lines),
    }
    return render(request, "portal/lists.html", shown)


def add(request: HttpRequest) -> HttpResponse:
    """Add an entry, after a look at what it would bring about."""
    here = house()
    try:
        files = _files(here)
    except ConfigurationError:
        return redirect("lists")
    form = AddForm(request.POST or None, initial={"seen": _seen(files), "list": BLOCK})
    found: Preview | None = None
    if request.method == "POST" and form.is_bound:
        form.is_valid()
        try:
            found = _preview_of(here, files, form)
        except (RefusedError, ConfigurationError) as error:
            form.add_error(None, said(error))
        if "preview" in request.POST:
            # To look at what it would do needs no reason.
            form.errors.pop("reason", None)
        elif found is not None and form.is_valid():
            answer = _add(request, files, form)
            if answer is not None:
                return answer
    return render(request, "portal/add_to_list.html", {"form": form, "preview": found})


def remove(request: HttpRequest) -> HttpResponse:
    """Take a line off a list, after a look at what that would bring about."""
    here = house()
    try:
        files = _files(here)
    except ConfigurationError:
        return redirect("lists")
    given = {name: request.GET.get(name, "") for name in ("list", "line", "seen")}
    form = RemoveForm(request.POST or None, initial=given)
    asked = request.POST if request.method == "POST" else request.GET
    file = next((one for one in files if one.name == asked.get("list")), files[0])
    number = asked.get("line", "")
    try:
        line = local_lists.line_of(file, int(number[:9]) if number.isdecimal() else 0)
    except RefusedError as error:
        messages.error(request, said(error))
        return redirect("lists")
    if request.method == "POST" and form.is_valid():
        answer = _remove(request, files, file, line, form)
        if answer is not None:
            return answer
    found = None
    if line.entry is not None:
        found = local_lists.preview(
            here.engine(), files, here.settings.lists.dirs, line.entry, here.now(), adds=False
        )
    shown = {"form": form, "preview": found, "line": line, "list": _NAMES[file.name]}
    return render(request, "portal/remove_from_list.html", shown)


def _add(request: HttpRequest, files: tuple[LocalFile, ...], form: AddForm) -> HttpResponse | None:
    prove_again(request, signing=True)
    here, given = house(), form.cleaned_data
    try:
        _must_be_seen(files, given["seen"])
        file = next(one for one in files if one.name == given["list"])
        entry = local_lists.entry_of(given["site"], file.name)
        local_lists.add_entry(
            file,
            entry,
            dirs=here.settings.lists.dirs,
            policy=here.engine().policy,
            reason=given["reason"],
            trail=here.trail,
            actor=f"account:{request.user.email}",
            now=here.now(),
        )
    except (RefusedError, ConfigurationError) as error:
        form.add_error(None, said(error))
        return None
    messages.success(request, f"{entry.text} is in {file.name}. It is in force within a second.")
    return redirect("lists")


def _remove(
    request: HttpRequest,
    files: tuple[LocalFile, ...],
    file: LocalFile,
    line: LocalLine,
    form: RemoveForm,
) -> HttpResponse | None:
    prove_again(request, signing=True)
    here, given = house(), form.cleaned_data
    try:
        _must_be_seen(files, given["seen"])
        local_lists.remove_line(
            file,
            line,
            policy=here.engine().policy,
            reason=given["reason"],
            trail=here.trail,
            actor=f"account:{request.user.email}",
            now=here.now(),
        )
    except RefusedError as error:
        form.add_error(None, said(error))
        return None
    messages.success(
        request, f"{line.written} is no more in {file.name}. That is in force within a second."
    )
    return redirect("lists")


def _preview_of(here: House, files: tuple[LocalFile, ...], form: AddForm) -> Preview | None:
    given = form.cleaned_data
    if not given.get("site") or not given.get("list"):
        return None
    entry = local_lists.entry_of(given["site"], given["list"])
    return local_lists.preview(
        here.engine(), files, here.settings.lists.dirs, entry, here.now(), adds=True
    )


def _files(here: House) -> tuple[LocalFile, ...]:
    return local_lists.read_lists(here.settings.lists.local)


def _seen(files: tuple[LocalFile, ...]) -> str:
    return ":".join(file.digest for file in files)


def _must_be_seen(files: tuple[LocalFile, ...], seen: str) -> None:
    if seen != _seen(files):
        raise RefusedError(_SEEN_AGAIN)
