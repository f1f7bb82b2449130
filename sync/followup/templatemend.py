"""A template with its head mended where there is one right mend. Its body, which people read, stays byte for byte."""

from __future__ import annotations

from rules.lines import LINE_END, rewrite
from sync.followup.templatefiles import EDGE, read_templates


def mended_template(data: bytes, file: str) -> bytes:
    """The file as it should be saved; the same bytes where nothing is to be mended, or where it would say something else."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return data
    pieces = LINE_END.split(text)
    edges = [n for n in range(0, len(pieces), 2) if EDGE.fullmatch(pieces[n].removeprefix("\ufeff"))][:2]
    if len(edges) < 2 or "".join(pieces[: edges[0]]).strip():
        return data
    first, last = edges[0] + 1, edges[1]
    new = "".join([*pieces[:first], rewrite("".join(pieces[first:last])), *pieces[last:]]).encode()
    before, was_wrong = read_templates({file: data})
    after, is_wrong = read_templates({file: new})
    same = not was_wrong and not is_wrong and list(before) == list(after)
    return new if same or len(is_wrong) < len(was_wrong) else data
