"""Of a script its name and what it says must agree, unless it begins with a line that only it has."""

import pytest

from schoolgate.core.files.texts import form_of_text, text_of


@pytest.mark.parametrize(
    ("text", "name", "want"),
    [
        ("#!/bin/bash\n", "", "shebang"),
        ("#!not a path", "", None),
        ("@echo off\r\n", "", "batch"),
        ("echo hello", "a.bat", "batch"),
        ("echo hello", "a.txt", None),
        ("just words", "a.bat", None),
        ("Get-Process | Out-File x", "a.ps1", "powershell"),
        ("Get-Process | Out-File x", "a.txt", None),
        ("<# help #>\nparam()", "a.ps1", "powershell"),
        ('MsgBox "x"', "a.vbs", "vbscript"),
        ('MsgBox "x"', "a.txt", None),
        ('WScript.Echo("x")', "a.js", "jscript"),
        ('console.log("x")', "a.js", None),
        ("[Desktop Entry]\nType=Application", "", "desktop"),
        ("words about [Desktop Entry] files", "", None),
        ("\n\nREGEDIT4\n", "", "reg"),
        ("<!doctype html><pre>@echo off</pre>", "a.bat", None),
        ("<html>", "a.hta", "hta"),
        ("<?xml version='1.0'?><!-- x --><nzb>", "", "nzb"),
        ("<?xml version='1.0'?><feed>&lt;nzb</feed>", "", None),
        ("", "a.bat", None),
    ],
)
def test_files(text: str, name: str, want: str | None) -> None:
    assert form_of_text(text, (name,), "", is_file=True) == want


@pytest.mark.parametrize("content_type", ["text/html", "text/css", "image/svg+xml"])
def test_a_page_of_the_web_is_no_script(content_type: str) -> None:
    assert form_of_text("@echo off\n", ("a.bat",), content_type, is_file=False) is None
    assert form_of_text("@echo off\n", ("a.bat",), content_type, is_file=True) == "batch"


@pytest.mark.parametrize(
    ("head", "want"),
    [
        (b"words", "words"),
        (b"\xef\xbb\xbfwords", "words"),
        ("words".encode("utf-16"), "words"),
        (b"\xfe\xff" + "words".encode("utf-16-be"), "words"),
        (b"a\0b", None),
        (b"caf\xe9", "caf\ufffd"),
    ],
)
def test_what_is_text(head: bytes, want: str | None) -> None:
    assert text_of(head) == want
