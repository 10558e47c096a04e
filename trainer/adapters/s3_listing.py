"""Listing a bucket in order of the keys' UTF-8 bytes, also on servers that keep another order.

S3 lists by UTF-8 bytes, where `a-b` comes before `a/b`. Servers that keep objects in directories (SeaweedFS is one)
list directory by directory, `a/b` before `a-b`; and to them, "start after `a-b`" skips all of `a/`, although its keys
are greater. Python orders text by code point, which is the same as by UTF-8 bytes.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef, ObjectTypeDef


class _Given(TypedDict, total=False):
    StartAfter: str
    Delimiter: str


class _Row(NamedTuple):
    """An object or a common prefix of one level."""

    name: str
    """The key or prefix without the level's own prefix, and without the `/` at a common prefix's end."""
    key: str
    found: ObjectTypeDef | None
    """None for a common prefix."""


def list_ordered(client: S3Client, bucket: str, prefix: str, start_after: str) -> Iterator[ObjectTypeDef]:
    """Rely on the server's order: one request for a page of 1,000 objects."""
    for page in _pages(client, bucket, prefix, start_after, delimiter=""):
        for found in page.get("Contents", []):
            if found["Key"] > start_after:
                yield found


def list_by_level(client: S3Client, bucket: str, prefix: str, start_after: str) -> Iterator[ObjectTypeDef]:
    """Rely on the order of the names of one level alone: one request for a page and for each level.

    A level is what lies between one `/` and the next. Common prefixes wait in a heap until no name can come that
    sorts before them: names arrive in order, and `a/` waits for `a-b` but not for `b`.
    """
    if not _reaches(prefix, start_after):
        return
    level = prefix[: prefix.rfind("/") + 1]
    marker, waiting = _resume(level, prefix, start_after)
    known = set(waiting)
    for page in _pages(client, bucket, prefix, marker, delimiter="/"):
        for row in _rows(page, level):
            while waiting and waiting[0] < level + row.name:
                yield from list_by_level(client, bucket, heapq.heappop(waiting), start_after)
            if row.found is not None:
                if row.key > start_after:
                    yield row.found
            elif row.key not in known and _reaches(row.key, start_after):
                heapq.heappush(waiting, row.key)
    while waiting:
        yield from list_by_level(client, bucket, heapq.heappop(waiting), start_after)


def _resume(level: str, prefix: str, start_after: str) -> tuple[str, list[str]]:
    """Where to resume a level: the marker for the server, and the common prefixes that it would skip wrongly.

    After `x.json` come also the keys below `x/`, because `.` is less than `/`; and those below `x.json/`.
    """
    if not start_after.startswith(level):
        return "", []
    name = start_after[len(level) :].partition("/")[0]
    skipped = [f"{level}{name[:end]}/" for end in range(1, len(name) + 1) if end == len(name) or name[end] < "/"]
    return level + name, sorted(each for each in skipped if each.startswith(prefix) and _reaches(each, start_after))


def _reaches(prefix: str, start_after: str) -> bool:
    """Whether a key that starts with `prefix` can be greater than `start_after`."""
    return prefix > start_after or start_after.startswith(prefix)


def _rows(page: ListObjectsV2OutputTypeDef, level: str) -> Sequence[_Row]:
    objects = [_Row(found["Key"][len(level) :], found["Key"], found) for found in page.get("Contents", [])]
    folders = [_Row(each["Prefix"][len(level) : -1], each["Prefix"], None) for each in page.get("CommonPrefixes", [])]
    return sorted(objects + folders, key=lambda row: row.name)


def _pages(
    client: S3Client, bucket: str, prefix: str, start_after: str, *, delimiter: str
) -> Iterator[ListObjectsV2OutputTypeDef]:
    given = _Given()  # an empty parameter is left out: servers differ about what it means
    if start_after:
        given["StartAfter"] = start_after
    if delimiter:
        given["Delimiter"] = delimiter
    yield from client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **given)
