"""Headers that guard a page: what it may load, who may frame it, what leaves with a click."""

from urllib.parse import urlsplit

from starlette.responses import Response

LINE_API = "https://*.line.me"
LINE_CDN = "https://*.line-scdn.net"


def origin_of(url: str) -> str:
    """Scheme, host and port of an absolute address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def content_security_policy(sdk_url: str, frame_ancestor: str) -> str:
    """The Content-Security-Policy of every page: our own files and the LIFF SDK, nothing inline."""
    scripts = [origin_of(sdk_url)]
    # LINE's SDK fetches its client features from sister hosts of the one it is served from.
    if (urlsplit(sdk_url).hostname or "").endswith(".line-scdn.net"):
        scripts.append(LINE_CDN)
    sdk = " ".join(scripts)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {sdk}",
            f"connect-src 'self' {sdk} {LINE_API}",
            "style-src 'self'",
            "img-src 'self' data: blob:",  # thumbnails of what is being uploaded
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors {frame_ancestor}",
        )
    )


def guarded(response: Response, policy: str) -> Response:
    """The same answer with the headers every page carries."""
    response.headers.update(
        {
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-cache",
            "Vary": "Accept-Language",
        }
    )
    return response
