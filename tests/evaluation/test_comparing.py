"""What a reply says is found however it is written, and only when it says it."""

from __future__ import annotations

import pytest

from evaluation.comparing import amount_of, amounts_in, answer_amounts, facts_met, presented_amounts


@pytest.mark.parametrize(
    ("expected", "reply"),
    [
        ("1.366.200", "Một năm đóng 1.366.200 đồng."),
        ("1.366.200", "1,366,200 đ"),
        ("1.366.200", "hết 1366200đ"),
        ("1.366.200", "1.366.200đ/năm"),
        ("2.000.000", "được 2 triệu một con"),
        ("2 triệu", "được 2.000.000 đồng"),
        ("1.500.000", "từ 1tr5 trở lên"),
        ("66.000", "hỗ trợ 66.000 mỗi tháng"),
        ("66.000", "hỗ trợ 66 nghìn đồng"),
        ("50.600.000", "từ 1.500.000–50.600.000 đồng"),
        ("06 tháng", "đủ 6 tháng"),
        ("6 tháng", "đủ 06 tháng trong 12 tháng"),
        ("5 ngày", "trong 05 ngày làm việc"),
        ("7 ngày làm việc", "Giải quyết trong 7 ngày."),
        ("15 ngày", "15 NLV"),
        ("một năm", "giá trị 1 năm"),
        ("4 người", "tối đa bốn người"),
        ("01/7/2025", "từ ngày 1 tháng 7 năm 2025"),
        ("01/7/2025", "từ 1-7-2025"),
        ("1/7/2025", "từ 01/07/2025."),
        ("1/7/2025", "từ 1.7.2025"),
        ("tháng 7/2025", "từ ngày 01/07/2025"),
        ("tháng 12/2025", "từ tháng 12 năm 2025"),
        ("30/9", "đến ngày 30 tháng 9"),
        ("30/9", "đến hết 30/09/2027"),
        ("30%", "ba mươi tức 30 phần trăm"),
        ("4,5%", "4,5 % mức tham chiếu"),
        ("lương cơ sở", "6 lần mức tham chiếu"),
        ("sổ BHXH", "Sổ bảo hiểm xã hội"),
        ("sổ bảo hiểm xã hội", "so BHXH"),
        ("thẻ BHYT", "thẻ bảo hiểm y tế"),
        ("CCCD", "mang căn cước công dân"),
        ("UBND", "nộp tại ủy ban nhân dân xã"),
        ("hàng tháng", "hằng tháng"),
        ("dịch vụ việc làm", "trung tam dich vu viec lam"),
        ("1900 9068", "gọi 19009068"),
        ("khai sinh|chứng sinh", "giấy chứng sinh của bé"),
    ],
)
def test_met(expected: str, reply: str) -> None:
    assert facts_met([expected], reply)


@pytest.mark.parametrize(
    ("expected", "reply"),
    [
        ("5 ngày", "được nghỉ 15 ngày"),
        ("30%", "tăng 130%"),
        ("5%", "4,5% lương"),
        ("0,3%", "0,03% một ngày"),
        ("7 tháng", "17 tháng"),
        ("2 tháng", "12 tháng"),
        ("5 năm", "15 năm"),
        ("1,5", "11,5 tháng"),
        ("1,3", "hệ số 1,36"),
        ("1.366.200", "11.366.200 đồng"),
        ("366.200", "1.366.200 đồng"),
        ("2.000.000", "hai mươi 20.000.000 đồng"),
        ("1.500.000", "15.000.000 đồng"),
        ("1/7/2025", "11/7/2025"),
        ("01/7/2025", "01/7/2026"),
        ("hưu", "được hướng dẫn"),
        ("283/2026", "1283/2026"),
    ],
)
def test_not_met(expected: str, reply: str) -> None:
    assert not facts_met([expected], reply)


def test_every_entry_must_be_met_and_any_alternative_of_it_will_do() -> None:
    expected = ["6 tháng|180 ngày", "12 tháng"]
    assert facts_met(expected, "đủ 6 tháng trong 12 tháng trước khi sinh")
    assert not facts_met(expected, "đủ 6 tháng")
    assert facts_met([], "gì cũng được")


def test_an_alternative_is_an_amount_only_when_all_of_it_is() -> None:
    assert amount_of("66.000") == 66_000
    assert amount_of("1tr5") == 1_500_000
    assert amount_of("2 triệu đồng") == 2_000_000
    assert [
        amount_of(words) for words in ("6 tháng", "41/2024/QH15", "283/2026", "1900 9068", "30%", "4,5%")
    ] == [None] * 6


def test_amounts_without_a_unit_are_read() -> None:
    assert amounts_in("mỗi tháng 66.000, cả năm 792.000 đồng") == {66_000, 792_000}
    assert amounts_in("Căn cứ: Điều 36 khoản 1 Luật BHXH 41/2024/QH15. Áp dụng tại ngày 21/11/2026.") == set()


def test_factors_of_a_working_are_not_presented() -> None:
    assert presented_amounts("Nghỉ 6 tháng × 18.000.000 = 108.000.000 đồng.") == {108_000_000}
    assert presented_amounts("4,5% × lương cơ sở 2.530.000 = 113.850 đồng") == {113_850}
    assert presented_amounts("10.000.000 / 24 × 7 ngày = 2.916.667 đồng") == {2_916_667}
    assert presented_amounts("11.130.000 − 1.386.000 = 9.744.000 đồng") == {9_744_000}
    assert presented_amounts("- Mỗi năm: 1.366.200đ/năm") == {1_366_200}


def test_the_answer_is_not_a_long_list_of_figures() -> None:
    listing = (
        "Cả nhà 3 người đóng 3.142.260 đồng.\n"
        "Từng người: 1.366.200; 956.340; 819.720.\n"
        "Người thứ nhất mỗi tháng 113.850 đồng."
    )
    assert answer_amounts(listing, "nhà 3 người") == {3_142_260, 113_850}


def test_what_the_citizen_said_is_no_answer() -> None:
    reply = "Với mức 5.000.000 đồng:\nMỗi tháng đóng 1.034.000 đồng."
    assert answer_amounts(reply, "chọn mức 5 triệu") == {1_034_000}
