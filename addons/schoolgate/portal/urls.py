"""What Django serves: the table of pages, and nothing else."""

from django.urls import path

from schoolgate.portal.access import guarded
from schoolgate.portal.pages import PAGES

urlpatterns = [
    path(
        page.path,
        guarded(page.view, page.access, page.methods, page.without_store),
        name=page.name,
    )
    for page in PAGES
]
handler400 = "schoolgate.portal.views.errors.bad_request"
handler403 = "schoolgate.portal.views.errors.refused"
handler404 = "schoolgate.portal.views.errors.not_here"
handler500 = "schoolgate.portal.views.errors.failed"
