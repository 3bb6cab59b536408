# SPDX-License-Identifier: Apache-2.0
"""JSON lines that hold ids, counts and times, and never what the hub keeps secret.

Only fields that are known to be harmless pass, and what looks like a code, a key, an address or a
telephone number is withheld even there. Of an exception only its type and its places are written:
a database's error carries the values of its statement.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, BinaryIO

import orjson
import structlog

WITHHELD = "[withheld]"
_NAMES = """
    action alarm applied attempt behind bytes cause changes child checkpoint codes count cursor
    delay_ms entries
    epoch error errors event exit gap head hits holder index indicator indicators items job key
    kind label lag_ms level limit links listen logger loop member members method ms name operator
    operators partner pid places policy position positions process reason removed request_id
    retry_ms revision route rows schema seconds set sets signal signals state status step stream
    thread threads timeline timestamp total truncated version waited_ms wanted why worker workers
"""
FIELDS = frozenset(_NAMES.split())
"""The fields that may be written. Whoever adds one answers for what it holds."""
RANDOM_IDS = frozenset({"epoch", "request_id", "timeline"})
"""Random by the hub's own making, so that a long run of hex digits in them tells nothing."""

_SECRET = re.compile(
    r"""
      [0-9a-fA-F]{16,}                                # a code, a digest, a key in hex
    | bw_(?:live|test)_\w+                            # a member's key
    | [^\s@"'<>]+@[^\s@"'<>]+\.[^\s@"'<>]+            # an e-mail address
    | \+\d[\d\s().\-]{6,}\d                           # a telephone number, written for abroad
    | (?<![\d:.\-])\(?\d{2,4}\)?[\s.\-]\d{3}[\s.\-]?\d{3,6}(?!\d)  # and at home
    | ://[^\s/@]+@                                    # a password in an address
    """,
    re.VERBOSE,
)
_PUBLIC_ID = re.compile(r"[a-z]{2,4}_[a-z2-7]{26}")
_LONGEST = 400
_SHORTEST_SECRET = 6

Event = MutableMapping[str, Any]


def configure(level: str = "info", stream: BinaryIO | None = None) -> None:
    """Send everything this process logs, ours and libraries', to *stream* as JSON lines.

    Called once, where a process begins. The default stream is standard error.
    """
    numeric = logging.getLevelNamesMapping()[level.upper()]
    target = stream or sys.stderr.buffer
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            *SHARED,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.BytesLoggerFactory(target),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(_Text(target))
    handler.setFormatter(formatter())
    logging.root.handlers = [handler]
    logging.root.setLevel(max(numeric, logging.WARNING))


def formatter() -> logging.Formatter:
    """Make the formatter that writes a library's messages as the same JSON lines."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *SHARED, _as_text],
    )


def redact(_logger: Any, _name: str, event: Event) -> Event:
    """Withhold unknown fields by name, and what looks secret wherever it stands."""
    kept: Event = {}
    unknown = []
    for name, value in event.items():
        if name in FIELDS:
            kept[name] = value if name in RANDOM_IDS else harmless(value)
        else:
            unknown.append(name)
    if unknown:
        kept["withheld"] = sorted(scrubbed(str(name)) for name in unknown)
    return kept


def harmless(value: Any) -> Any:
    """Let a value through as far as it is harmless."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return scrubbed(value)
    if isinstance(value, Mapping):
        return {scrubbed(str(name)): harmless(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [harmless(inner) for inner in value]
    # Bytes are codes, and an object's own words are not ours to judge.
    return WITHHELD


def scrubbed(text: str) -> str:
    """Replace in *text* what looks like a code, a key, an address or a telephone number."""
    if len(text) < _SHORTEST_SECRET or _PUBLIC_ID.fullmatch(text):
        return text
    return _SECRET.sub(WITHHELD, text[:_LONGEST])


def told(error: BaseException) -> dict[str, Any]:
    """Tell an exception without its message: its type, its cause's, and where it passed."""
    cause = error.__cause__
    return {
        "error": type(error).__name__,
        "cause": type(cause).__name__ if cause else None,
        "places": _places(error.__traceback__),
    }


def _places(trace: TracebackType | None) -> list[str]:
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places[-12:]


def _tell_exception(_logger: Any, _name: str, event: Event) -> Event:
    given = event.pop("exc_info", None)
    error = sys.exception() if given is True else given
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event.update(told(error))
    return event


def _render(_logger: Any, _name: str, event: Event) -> bytes:
    return orjson.dumps(event, default=lambda _value: WITHHELD)


def _as_text(logger: Any, name: str, event: Event) -> str:
    return _render(logger, name, event).decode()


class _Text:
    """A text stream, as the standard library's handlers want it, before one of bytes."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target

    def write(self, text: str) -> None:
        self._target.write(text.encode("utf-8", "replace"))

    def flush(self) -> None:
        self._target.flush()


SHARED: list[structlog.types.Processor] = [
    _tell_exception,
    redact,
    # After the redaction, which would take a date for a telephone number.
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
