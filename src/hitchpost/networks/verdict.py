"""Whether a network lets something be used, as an adapter found it and as it is stored; pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from hitchpost.errors import FixBy
from hitchpost.verdicts import NOW_CALLED, VERDICTS, Grounds


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a candidate can be connected, and if not: why, who can mend it, how. Sentences for people.

    `code` is a key of `verdicts.VERDICTS`, and `usable` what its row says; ValueError otherwise. A usable one may still carry a `why` as
    a remark. `missing`: the permissions that were not granted, in the network's words.
    """

    usable: bool = True
    code: str = "ok"
    why: str = ""
    fix_by: FixBy = FixBy.PERSON
    how: str = ""
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.code not in VERDICTS:
            raise ValueError(f"{self.code} is no code of a verdict")
        if self.usable != self.grounds.usable:
            raise ValueError(f"{self.code} does not go with usable={self.usable}")

    @classmethod
    def of(cls, code: str, why: str = "", how: str = "", *, fix_by: FixBy | None = None, missing: tuple[str, ...] = ()) -> Self:
        """The verdict of this code, in the words of its row where nothing better is known. Raises ValueError for an unknown code."""
        if code not in VERDICTS:
            raise ValueError(f"{code} is no code of a verdict")
        row = VERDICTS[code]
        return cls(row.usable, code, why or row.says, fix_by or row.fix_by, how or row.way, missing)

    @property
    def grounds(self) -> Grounds:
        return VERDICTS[self.code]

    def written(self) -> str:
        """As it is stored."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """One that was stored, by whichever version: a code of old is called what it is called now, and an unknown one ends nothing."""
        usable, code = bool(stored["usable"]), NOW_CALLED.get(stored["code"], stored["code"])
        if code not in VERDICTS or VERDICTS[code].usable != usable:
            code = "ok" if usable else "unlisted"
        return cls(usable, code, stored["why"], FixBy(stored["fix_by"]), stored["how"], tuple(stored.get("missing", ())))
