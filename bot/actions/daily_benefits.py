"""Days of leave, contributions withheld and the share of a visit as citizens ask for them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from bot.actions.families import Family, Inputs, Values, assumptions, chosen
from knowledge_base.loading import knowledge_base
from vietnamese.days import parse_days
from vietnamese.text import fold

# What no calculator takes: the topic's words answer.
OUTSIDE, ON_DEMAND = "outside_line", "on_demand"
MONTHS = 12  # of a year
_KINDS = (
    (
        "miscarriage",
        re.compile(
            r"\b(?:say|(?:hu|pha|bo|luu|hong) thai|thai (?:luu|chet|ngoai tu cung)|dinh chi"
            r"|mat (?:em )?be|mat con)\b"
        ),
    ),
    ("antenatal", re.compile(r"\b(?:kham (?:thai|bau)|sieu am)\b")),
)
_PERCENT = re.compile(
    r"\b(?:the|muc|huong|dien)\b[^,.;?!\n0-9]{0,25}?\b(?P<percent>[0-9]{2,3})\s*(?:%|phan tram)"
    r"(?!\s*(?:khong|ko|k|hong|hay|hoac)\b)"
)
_CARDS = (
    ("social_pensioner", re.compile(r"\bhuu tri xa hoi\b")),
    ("pensioner", re.compile(r"\b(?:luong|the|nghi|dien|can bo|nguoi) huu\b|\bhuu tri\b")),
    ("full", re.compile(r"\b(?:nguoi co cong|cuu chien binh|liet si|thuong binh|bao tro xa hoi)\b")),
)
_NOT = r"(?:khong|ko|k|hong|chua)"
_OUTSIDE = re.compile(
    rf"\b(?:trai|vuot|{_NOT} dung|ngoai) tuyen\b|\b{_NOT} (?:dung noi|chuyen tuyen)\b"
    rf"|\b{_NOT} (?:co |qua |xin )?(?:giay |phieu )(?:chuyen|gioi thieu)|\btu (?:y )?(?:di|den|len|toi|vao)\b"
)
_INSIDE = re.compile(
    r"\bcap cuu\b|(?<!khong )(?<!ko )(?<!k )(?<!chua )\b(?:dung (?:noi|tuyen)|co (?:giay|phieu) chuyen)\b"
)
_PRIMARY = re.compile(
    r"\b(?:tram (?:y te|xa)|y te (?:xa|phuong)|y hoc gia dinh|phong kham da khoa khu vuc|cap ban dau)\b"
)
_ON_DEMAND = re.compile(r"\b(?:theo yeu cau|dich vu|5 nam lien tuc|du 5 nam)\b")
_INPATIENT = re.compile(r"\b(?:nam vien|noi tru|nhap vien|phau thuat)\b")
_CENTRAL = re.compile(r"\b(?:trung uong|tw)\b")
_PROVINCIAL = re.compile(r"\b(?:tuyen|benh vien|bv|cap) tinh\b")


def leave_and_visit(text: str) -> Values:
    """`days`, the `kind` of leave, `benefit_percent` and `card`, and the `place` of a visit, where told."""
    folded = fold(text)
    told: Values = {"days": parse_days(text), "place": _place(folded)}
    told["kind"] = next((kind for kind, words in _KINDS if words.search(folded)), None)
    told["card"] = next((card for card, words in _CARDS if words.search(folded)), None)
    if percent := _PERCENT.search(folded):
        told["benefit_percent"] = int(percent["percent"])
    return {name: value for name, value in told.items() if value is not None}


def _place(folded: str) -> str | None:
    """Where a visit was; `outside_line` and `on_demand` where what is paid depends on what is not told."""
    if _ON_DEMAND.search(folded):
        return ON_DEMAND
    if _INSIDE.search(folded):
        return "in_line"
    if _PRIMARY.search(folded):
        return "primary_care"
    return _outside(folded) if _OUTSIDE.search(folded) else None


def _outside(folded: str) -> str:
    inpatient = bool(_INPATIENT.search(folded))
    if inpatient and _CENTRAL.search(folded):
        return "inpatient_central"
    if not inpatient and _PROVINCIAL.search(folded):
        return "outpatient_outside_line"
    return OUTSIDE


def _leave(values: Values, kind: str) -> Inputs:
    kind = values.get("kind") or kind
    inputs = {"kind": kind, "average_salary": values["amount"], **chosen(values, ("days", "days"))}
    return {**inputs, **chosen(values, ("weeks", "weeks"))} if kind == "miscarriage" else inputs


def is_small_child(values: Values, on: date) -> bool:
    """Whether the age told is one at which the State pays the card."""
    age = values.get("age")
    return age is not None and age * MONTHS < knowledge_base().law.at(on).amount("health.child_months")


def _card(values: Values, on: date) -> str:
    """The card's group; one the law does not decide by itself is no input, and words answer."""
    group = values.get("group") or "other"
    if is_small_child(values, on):
        return "full"
    if group.startswith("near_poor"):
        return "near_poor"
    return str(values.get("card") or {"poor": "full", "other": "standard"}.get(group, group))


def _visit(values: Values, on: date) -> Inputs:
    return {
        "cost": values["amount"],
        "card": _card(values, on),
        **chosen(values, ("benefit_percent", "benefit_percent"), ("place", "place")),
    }


def _visit_assumed(values: Values) -> list[str]:
    place = assumptions(values, ("place", "utter_assume_in_line"))
    told = any(values.get(name) for name in ("card", "benefit_percent", "group"))
    # The latest rule known will do to choose the words; the day's own decides the figures.
    if told or is_small_child(values, date.max):
        return place
    return ["utter_assume_standard_card", *place]


_GIVEN = (("amount", ""),)  # never asked for: the topic's words answer without it

DAILY_MATERNITY = Family(
    calculator="daily_maternity",
    needs=(("amount", "utter_ask_average_salary"),),
    uses=frozenset({"amount", "days", "weeks", "kind"}),
    inputs=lambda values, on: _leave(values, "antenatal"),
    assumed=lambda values: [],
)
MISCARRIAGE = replace(DAILY_MATERNITY, inputs=lambda values, on: _leave(values, "miscarriage"))
SICKNESS = Family(
    calculator="sickness",
    needs=_GIVEN,
    uses=frozenset({"amount", "days"}),
    inputs=lambda values, on: chosen(values, ("amount", "average_salary"), ("days", "days")),
    assumed=lambda values: [],
)
COMPULSORY_CONTRIBUTION = Family(
    calculator="compulsory_contribution",
    needs=_GIVEN,
    uses=frozenset({"amount"}),
    inputs=lambda values, on: {"salary": values["amount"]},
    assumed=lambda values: [],
)
TREATMENT_SHARE = Family(
    calculator="treatment_share",
    needs=_GIVEN,
    uses=frozenset({"amount", "benefit_percent", "card", "group", "age", "place"}),
    inputs=_visit,
    assumed=_visit_assumed,
)
# Asked about treatment outside the line, only a facility that is told can be worked out.
OUTSIDE_LINE = replace(TREATMENT_SHARE, inputs=lambda values, on: _visit({"place": OUTSIDE, **values}, on))
