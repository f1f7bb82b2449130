"""Log lines: to standard error, so that what a command says stays clean. No person's data, no secret stands in them."""

from __future__ import annotations

import logging
import os
import sys

import structlog


def configure(level: str) -> None:
    """Lines from `level` up (debug, info, warning); the environment's FILROUGE_LOG goes before."""
    chosen = logging.getLevelNamesMapping().get(os.environ.get("FILROUGE_LOG", level).upper(), logging.WARNING)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(chosen),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False),
        ],
    )
