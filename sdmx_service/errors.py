"""The one exception tree of the program: errors stop the work, findings (``model.finding``) accumulate.

Every error has a stage-numbered code, so that a reader of a log knows which room refused:

========  ==========================================
1xx       the request or command cannot be read
2xx       the request is understood but makes no sense
3xx       a message or file cannot be read
4xx       structures and references
5xx       storage, and services of others
6xx       rights
7xx       not built
========  ==========================================

No HTTP in here: ``rest.problems`` maps families to status codes.
"""

from __future__ import annotations


class SdmxError(Exception):
    """Something a user, partner or operator must be told, in words they can act on.

    Attributes:
        code: stable code, ``E`` and three digits, documented in ``docs/errors.md``.
        title: the kind of error, the same for every occurrence of the code.
        detail: what happened here: place and value.
        hint: what to do about it; empty if nothing can be said.
    """

    code: str = "E000"
    title: str = "Error"

    def __init__(self, detail: str, *, hint: str = "", code: str | None = None, title: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        if code is not None:
            self.code = code
        if title is not None:
            self.title = title

    def __str__(self) -> str:
        """The error as one readable line: title, detail, hint."""
        return f"{self.title}: {self.detail}" + (f" {self.hint}" if self.hint else "")


class SyntaxFault(SdmxError):
    """The request cannot be read: it does not follow the grammar (SDMX-REST: 400)."""

    code = "E100"
    title = "Malformed request"


class UnknownParameter(SyntaxFault):
    """A query parameter that the resource does not have; never ignored."""

    code = "E101"
    title = "Unknown parameter"


class AddressTooLong(SdmxError):
    """The address of a request is above the published limit (414)."""

    code = "E103"
    title = "Address too long"


class MethodNotAllowed(SdmxError):
    """The address does not take this method; ``Allow`` lists those that it takes (405)."""

    code = "E104"
    title = "Method not allowed"


class UnsupportedMediaType(SdmxError):
    """The body is of a media type that is not read at this address (415)."""

    code = "E105"
    title = "Unsupported media type"


class NotAcceptable(SdmxError):
    """No representation offered matches what the client accepts (406)."""

    code = "E110"
    title = "Not acceptable"


class SemanticFault(SdmxError):
    """The request is well-formed but cannot be meant so (v2: 422, v1: 403)."""

    code = "E200"
    title = "Request makes no sense"


class NotFound(SdmxError):
    """A named artefact, submission or release does not exist (404)."""

    code = "E210"
    title = "Not found"


class NoResults(SdmxError):
    """The query is right and matches nothing (v2: 204, v1: 404)."""

    code = "E220"
    title = "No results"


class Conflict(SdmxError):
    """The state of things does not allow it now (409)."""

    code = "E230"
    title = "Conflict"


class UnreadableFile(SdmxError):
    """A file or message cannot be read as what it claims to be; ``detail`` tells where."""

    code = "E300"
    title = "Unreadable file"


class UnknownFormat(UnreadableFile):
    """No format or mapping, or several, recognise the file; the candidates, or what comes near, are listed."""

    code = "E301"
    title = "Unknown format"


class UnsafeFile(UnreadableFile):
    """The file is refused for safety: DTDs and entities, decompression bombs, sizes above the limit."""

    code = "E302"
    title = "Refused for safety"


class TooLarge(UnreadableFile):
    """A body, answer or resource above a published limit (413)."""

    code = "E303"
    title = "Too large"


class CannotWrite(SdmxError):
    """The message holds something that the asked format cannot carry; ``detail`` names it (406)."""

    code = "E310"
    title = "Format cannot carry this"


class InvalidStructure(SdmxError):
    """A structural artefact contradicts the information model (422)."""

    code = "E400"
    title = "Invalid structure"


class UnresolvedReference(SdmxError):
    """A reference points to an artefact that is not there."""

    code = "E410"
    title = "Unresolved reference"


class StorageFault(SdmxError):
    """The store cannot do it: damaged, locked, of a newer version, or not reachable (503)."""

    code = "E500"
    title = "Storage fault"


class Busy(SdmxError):
    """As many answers are being sent as may be at once (503)."""

    code = "E510"
    title = "Busy"


class Unreachable(SdmxError):
    """A partner from whom a file is to be fetched does not send it (502)."""

    code = "E520"
    title = "Partner does not answer"


class SignInFault(SdmxError):
    """The provider at which people sign in does not answer, or not as it should (502)."""

    code = "E530"
    title = "Sign-in provider"


class NotAuthenticated(SdmxError):
    """No valid token where one is needed (401)."""

    code = "E600"
    title = "Not authenticated"


class NotAllowed(SdmxError):
    """The principal may not do this (403)."""

    code = "E610"
    title = "Not allowed"


class TooManyAttempts(SdmxError):
    """Too many tokens or passwords that were not right came from there; ``Retry-After`` says how long to wait (429).

    Attributes:
        seconds: how long.
    """

    code = "E620"
    title = "Too many attempts"

    def __init__(self, detail: str, *, hint: str = "", seconds: int = 60) -> None:
        super().__init__(detail, hint=hint)
        self.seconds = seconds


class NotBuilt(SdmxError):
    """Part of the standard that this service does not offer yet (501)."""

    code = "E700"
    title = "Not implemented"
