"""Pages for people: server-rendered, usable without JavaScript, every view an address that can be shared and cited."""

from sdmx_service.web.handlers import attach, install

__all__ = ["attach", "install"]
