"""What the health insurance fund and the citizen pay of one visit's covered cost (mức hưởng BHYT)."""

from __future__ import annotations

from typing import Annotated

from knowledge_base.calculators.inputs import Count, Dong, EventDay, one_of
from knowledge_base.calculators.result import Result, answered, refused, say
from knowledge_base.dated import Rules
from knowledge_base.expressions import to_dong

CARDS = {
    "standard": "health.benefit_rate_standard",
    "pensioner": "health.benefit_rate_pensioner",
    "near_poor": "health.benefit_rate_near_poor",
    "social_pensioner": "health.benefit_rate_social_pensioner",
    "full": "health.benefit_rate_full",
}
BY_RATE = ("standard", "pensioner", "full")  # every rate a card may carry
OUTPATIENT_SKIP = "health.outpatient_skip_rate"
SKIP_RATES = {
    "outpatient_outside_line": OUTPATIENT_SKIP,
    "inpatient_central": "health.inpatient_specialised_skip_rate",
}
Card = Annotated[str, one_of(*CARDS)]
Place = Annotated[str, one_of("in_line", "primary_care", *SKIP_RATES)]


def treatment_share(
    rules: Rules,
    *,
    cost: Dong,
    visit_date: EventDay,
    card: Card = "standard",
    benefit_percent: Count | None = None,
    place: Place = "in_line",
) -> Result:
    """The fund's and the citizen's part of the cost within the scope of the insurance.

    `benefit_percent` is the rate printed on the card and goes before `card`. `place` is where the
    visit was: in line (referred and emergencies too), at primary care, or without referral as an
    outpatient of the partly paid facilities or an inpatient of a formerly central one.
    """
    if benefit_percent is not None:
        rates = {int(100 * rules.rate(CARDS[name])): name for name in BY_RATE}
        if benefit_percent not in rates:
            reason = say("treatment_share.no_such_rate", list=", ".join(f"{rate}%" for rate in rates))
            return refused(rules, "out_of_bounds", reason, {"benefit_percents": list(rates)})
        card = rates[benefit_percent]
    if place == "outpatient_outside_line" and rules.on < rules.since(OUTPATIENT_SKIP):
        reason = say("treatment_share.not_yet_paid", since=rules.since(OUTPATIENT_SKIP))
        return refused(rules, "not_eligible", reason, {"fund_pays": 0, "citizen_pays": cost})
    low_cost = to_dong(rules.rate("health.low_cost_ratio") * rules.amount("wages.base_salary"))
    is_low = cost < low_cost
    if place in SKIP_RATES and is_low:
        reason = say("treatment_share.low_cost_outside_line", limit=low_cost)
        return refused(rules, "unsure", reason, {"low_cost_limit": low_cost})
    if is_low or place == "primary_care":
        rate = rules.rate("health.benefit_rate_full")
    else:
        rate = rules.rate(CARDS[card])
    line = None
    if place in SKIP_RATES:
        skip = rules.rate(SKIP_RATES[place])
        line = say(f"treatment_share.{place}", rate=rate, skip=skip)
        rate *= skip
    elif is_low:
        line = say("treatment_share.low_cost", limit=low_cost)
    elif place == "primary_care":
        line = say("treatment_share.primary_care", rate=rate)
    fund = to_dong(rate * cost)
    citizen = cost - fund
    return answered(
        rules,
        {"fund_pays": fund, "citizen_pays": citizen, "low_cost_limit": low_cost},
        say("treatment_share.answer", fund=fund, citizen=citizen)
        if citizen
        else say("treatment_share.free", fund=fund),
        line,
        say("treatment_share.working", rate=rate, cost=cost, fund=fund) if citizen else None,
        say("treatment_share.scope"),
    )
