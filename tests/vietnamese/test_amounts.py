"""Amounts of money as people write them."""

import pytest

from vietnamese.amounts import format_dong, parse_amount, parse_amounts

ONE_AMOUNT = [
    # million and its parts, run together
    ("1tr5", 1_500_000),
    ("1tr25", 1_250_000),
    ("1tr250", 1_250_000),
    ("1TR5", 1_500_000),
    ("9tr6", 9_600_000),
    ("18tr", 18_000_000),
    ("0.5tr", 500_000),
    ("0,5tr", 500_000),
    ("2.5tr", 2_500_000),
    ("12,5tr", 12_500_000),
    ("1tr5đ", 1_500_000),
    ("5tr5/tháng", 5_500_000),
    ("6tr8.", 6_800_000),
    ("muc2tr", 2_000_000),
    ("lương3tr7", 3_700_000),
    ("7tr500k", 7_500_000),
    ("1tr 500k", 1_500_000),
    ("4tr rưỡi", 4_500_000),
    ("4tr ruoi", 4_500_000),
    # million, spelt
    ("1 triệu", 1_000_000),
    ("1 trieu", 1_000_000),
    ("2trieu", 2_000_000),
    ("2triệu", 2_000_000),
    ("3 triêu", 3_000_000),
    ("3 triẹu", 3_000_000),
    ("3 trieeuj", 3_000_000),
    ("7 triu", 7_000_000),
    ("1,5 triệu", 1_500_000),
    ("1.5 triệu", 1_500_000),
    ("7,2 trieu", 7_200_000),
    ("1.263 triệu", 1_263_000),
    ("1 triệu 5", 1_500_000),
    ("4 triệu 9", 4_900_000),
    ("4 trieu 9 dong bao hiem", 4_900_000),
    ("1 triệu 25", 1_250_000),
    ("1 triệu 366 rồi", 1_366_000),
    ("10 triệu 500", 10_500_000),
    ("1 triệu rưỡi", 1_500_000),
    ("5 triệu rưỡi", 5_500_000),
    ("5 trieu ruoi", 5_500_000),
    ("hơn triệu rưỡi mỗi tháng", 1_500_000),
    ("nửa triệu", 500_000),
    ("1 triệu 500 nghìn", 1_500_000),
    ("1 triệu 500 ngàn đồng", 1_500_000),
    ("1 triệu 500.000 đồng", 1_500_000),
    ("1 triệu 5 trăm", 1_500_000),
    ("1 triệu 2 trăm nghìn", 1_200_000),
    ("2 triệu 350 nghìn", 2_350_000),
    # in words
    ("một triệu", 1_000_000),
    ("mot trieu", 1_000_000),
    ("môt triêu", 1_000_000),
    ("hai triệu ba", 2_300_000),
    ("một triệu hai", 1_200_000),
    ("một triệu rưỡi", 1_500_000),
    ("mot trieu ruoi", 1_500_000),
    ("một triệu năm trăm nghìn", 1_500_000),
    ("mot trieu nam tram nghin", 1_500_000),
    ("một triệu năm trăm", 1_500_000),
    ("hai triệu bảy trăm ngàn", 2_700_000),
    ("năm triệu", 5_000_000),
    ("nam trieu", 5_000_000),
    ("sáu triệu", 6_000_000),
    ("sau trieu", 6_000_000),
    ("mười triệu", 10_000_000),
    ("mười hai triệu", 12_000_000),
    ("muoi hai trieu", 12_000_000),
    ("mười lăm triệu", 15_000_000),
    ("hai mươi triệu", 20_000_000),
    ("hai mươi mốt triệu", 21_000_000),
    ("ba mươi tư triệu", 34_000_000),
    ("một trăm linh năm triệu", 105_000_000),
    ("một trăm hai mươi triệu", 120_000_000),
    ("ba chục triệu", 30_000_000),
    ("2 chục triệu", 20_000_000),
    ("3 trăm triệu", 300_000_000),
    # thousands
    ("500k", 500_000),
    ("500K", 500_000),
    ("1500k", 1_500_000),
    ("1.500k", 1_500_000),
    ("330k/tháng", 330_000),
    ("150 k", 150_000),
    ("500 nghìn", 500_000),
    ("500 nghin", 500_000),
    ("500 ngàn", 500_000),
    ("500 ngan", 500_000),
    ("683 ngàn", 683_000),
    ("năm trăm nghìn", 500_000),
    ("nam tram ngan", 500_000),
    ("ba trăm ba mươi nghìn", 330_000),
    ("5 trăm nghìn", 500_000),
    ("33k", 33_000),
    # slang
    ("2 củ", 2_000_000),
    ("2 cu", 2_000_000),
    ("5 củ rưỡi", 5_500_000),
    ("3 củ 2", 3_200_000),
    ("5 lít", 500_000),
    ("1 lít", 100_000),
    ("5 lit", 500_000),
    # thousand million
    ("1 tỷ", 1_000_000_000),
    ("1 tỉ", 1_000_000_000),
    ("1 tỷ 2", 1_200_000_000),
    ("1 tỷ 250 triệu", 1_250_000_000),
    ("1 tỷ rưỡi", 1_500_000_000),
    ("hai tỷ", 2_000_000_000),
    # printed
    ("1.500.000đ", 1_500_000),
    ("1.500.000 đồng", 1_500_000),
    ("1,500,000 vnd", 1_500_000),
    ("1,500,000 VNĐ", 1_500_000),
    ("1.500.000₫", 1_500_000),
    ("1.500.000 dong", 1_500_000),
    ("1 500 000 đồng", 1_500_000),
    ("50.000 đồng", 50_000),
    ("500 đồng", 500),
    ("50.600.000 đồng/tháng", 50_600_000),
    ("50000000 đồng", 50_000_000),
    ("123.456.789 đồng", 123_456_789),
    # bare
    ("1500000", 1_500_000),
    ("1.500.000", 1_500_000),
    ("1,500,000", 1_500_000),
    ("1 500 000", 1_500_000),
    ("mức 1366200", 1_366_200),
    ("mức 330.000", 330_000),
    # in a sentence, beside other numbers
    ("dong muc 2tr 20 nam", 2_000_000),
    ("mức 3 triệu 12 tháng", 3_000_000),
    ("muc 4tr dong 1 nam het bn", 4_000_000),
    ("5tr 3 nguoi", 5_000_000),
    ("lương 7 triệu 2 con", 7_000_000),
    ("mười triệu năm 2024", 10_000_000),
    ("5 triệu 10/2025", 5_000_000),
    ("12 triệu ba em lo", 12_000_000),
    ("từ 5 đến 7 triệu", 7_000_000),
    ("sđt 0912345678 lương 8tr", 8_000_000),
    ("đóng 2 triệu 1 quý", 2_000_000),
    ("2 triệu 3 lần", 2_000_000),
]

NO_AMOUNT = [
    "",
    "bao nhiêu tiền",
    "vài triệu",
    "vai trieu",
    "mấy triệu",
    "mấy chục triệu",
    "chục triệu",
    "hơn chục triệu",
    "mười mấy triệu",
    "bao nhiêu triệu",
    "3-4 triệu",
    "3 – 4 triệu",
    "năm 2026",
    "2026",
    "tháng 8/2026",
    "20/8/2026",
    "01.07.2025",
    "22%",
    "4,5 %",
    "4 người",
    "6 tháng",
    "12 thang",
    "45 tuổi",
    "57t",
    "0912345678",
    "0912 345 678",
    "+84912345678",
    "079123456789",
    "cccd 079123456789",
    "mã số 7912345678",
    "stk 12345678",
    "mã otp 123400",
    "1900 9068",
    "19009068",
    "2 cũ",
    "sổ cũ",
    "mua cho 2 cụ",
    "bhxh 1 lần",
    "điều 12 khoản 3",
    "the 80 k",
    "trả 5 k",
    "123456",
    "9999999999",
    "5 lít xăng",
    "50 ngàn đô",
    "tháng 5 đóng",
    "2 công ty",
    "công ty 2 năm",
]


@pytest.mark.parametrize(("text", "value"), ONE_AMOUNT)
def test_reads_the_amount(text: str, value: int) -> None:
    assert [amount.value for amount in parse_amounts(text)] == [value]
    assert parse_amount(text) == value


@pytest.mark.parametrize("text", NO_AMOUNT)
def test_reads_no_amount(text: str) -> None:
    assert parse_amounts(text) == []
    assert parse_amount(text) is None


def test_reads_amounts_in_order_with_their_words() -> None:
    text = "Hạ mức đóng từ 5 triệu xuống 1tr5, đại lý thu 1.034.000 đồng"
    assert [(amount.value, amount.text) for amount in parse_amounts(text)] == [
        (5_000_000, "5 triệu"),
        (1_500_000, "1tr5"),
        (1_034_000, "1.034.000 đồng"),
    ]


def test_decomposed_typing_gives_spans_of_the_composed_text() -> None:
    decomposed = "m\u01b0\u0301c 2 trie\u0323\u0302u"
    amount = parse_amounts(decomposed)[0]
    assert (amount.value, amount.text, amount.start) == (2_000_000, "2 triệu", 4)


def test_prints_dong_with_dots() -> None:
    assert format_dong(1_500_000) == "1.500.000 đồng"
    assert format_dong(0) == "0 đồng"
