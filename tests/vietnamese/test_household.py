"""How many pay as a household, and which member in order."""

import pytest

from vietnamese.household import parse_member_order, parse_members

MEMBERS = [
    ("nhà 4 khẩu", 4),
    ("nha 4 khau", 4),
    ("nhà có 3 nhân khẩu", 3),
    ("làm ruộng 3 khẩu", 3),
    ("4 người", 4),
    ("4 nguoi", 4),
    ("4 nguời", 4),
    ("3 ngừơi", 3),
    ("4người", 4),
    ("4 ng", 4),
    ("4ng", 4),
    ("hộ 5 ng", 5),
    ("ho 5 ng mua 12 thang", 5),
    ("cả nhà 3 người", 3),
    ("nhà em có bốn người", 4),
    ("nha em co bon nguoi", 4),
    ("ba người", 3),
    ("năm người", 5),
    ("nhà năm người", 5),
    ("nha nam nguoi", 5),
    ("sáu người", 6),
    ("nha sau nguoi", 6),
    ("mười người", 10),
    ("gia đình 6 thành viên", 6),
    ("gia dinh co 6 thanh vien", 6),
    ("7 miệng ăn", 7),
    ("2 vợ chồng", 2),
    ("hai vợ chồng em", 2),
    ("2 vk ck", 2),
    ("vợ chồng tôi", 2),
    ("2 vợ chồng với 2 đứa", 4),
    ("tôi với vợ mua 12 tháng", 2),
    ("ông nội, ba và mẹ em mua bhyt", 3),
    ("ông bà, 2 vc em vs 1 đứa e gái mua", 5),
    ("gia đình tôi gồm vợ chồng tôi, 2 con và bà nội", 5),
    ("mua bhyt cho vợ và 2 con", 3),
    ("em và mẹ, 2 người mua", 2),
    ("nhà 5 người, 3 đứa đi học, còn 2 vợ chồng mua", 2),
    ("2 vo chong voi 2 dua", 4),
    ("vợ chồng và 1 con", 3),
    ("vợ chồng em và hai con", 4),
    ("vợ chồng em với ba mẹ", 4),
    ("vợ chồng em với ba mẹ chồng là 4, thêm đứa út là 5", 5),
    ("2 vc 1 con", 3),
    ("4 ngừi", 4),
    ("hai mẹ con", 2),
    ("3 mẹ con", 3),
    ("2 bố con", 2),
    ("hai bà cháu", 2),
    ("2 chị em", 2),
    ("1 mình", 1),
    ("một mình", 1),
    ("mua 1 minh dc ko", 1),
    ("cho 1 người", 1),
    ("bn tien 1 nguoi", 1),
    ("một người", 1),
    ("4 người thì mỗi người bao nhiêu", 4),
    ("một người đi đăng ký cho 4 người được không", 4),
    ("nha 6 ng tru 1 ng co the cty con 5 ng", 5),
    ("7 người mà còn 6 người mua", 6),
    ("3 trên 5 người", 3),
    ("mua cho ba mẹ", 2),
    ("NHÀ 4 NGƯỜI", 4),
]

NO_MEMBERS = [
    "",
    "mỗi người bao nhiêu",
    "người thứ 3",
    "nguoi thu 3",
    "người 1 bao nhiêu người 2 bao nhiêu",
    "mấy người",
    "bao nhiêu người",
    "mọi người ơi",
    "người lao động",
    "nam nguoi",
    "số năm cũ",
    "hộ khẩu",
    "3 ngày",
    "6 tháng",
    "5 thẻ",
    "100 người",
]

ORDERS = [
    ("người thứ 3", 3),
    ("người thứ ba", 3),
    ("nguoi thu ba", 3),
    ("nguoi thu 3", 3),
    ("nguoi thứ 3", 3),
    ("ng thứ 2", 2),
    ("ng thu 5", 5),
    ("người thứ tư", 4),
    ("người thứ tư đóng bn", 4),
    ("người thứ năm", 5),
    ("nguoi thu nam", 5),
    ("người thứ nhất", 1),
    ("người thứ nhì", 2),
    ("người đầu tiên", 1),
    ("nguoi dau tien", 1),
    ("người t2", 2),
    ("người thứ hai trở đi", 2),
    ("thành viên thứ 5", 5),
    ("người số 3", 3),
    ("thế còn người thứ 3?", 3),
]

NO_ORDER = [
    "",
    "con thứ 2",
    "con thu 2",
    "bé thứ ba",
    "lần thứ 2",
    "thứ 3",
    "người thu 5 triệu",
    "nguoi thu 2tr",
    "3 người",
    "người thứ mấy",
]


@pytest.mark.parametrize(("text", "members"), MEMBERS)
def test_reads_how_many_pay(text: str, members: int) -> None:
    found = parse_members(text)
    assert found is not None
    assert found.value == members


@pytest.mark.parametrize("text", NO_MEMBERS)
def test_reads_no_household_size(text: str) -> None:
    assert parse_members(text) is None


@pytest.mark.parametrize(("text", "order"), ORDERS)
def test_reads_which_member(text: str, order: int) -> None:
    found = parse_member_order(text)
    assert found is not None
    assert found.value == order


@pytest.mark.parametrize("text", NO_ORDER)
def test_reads_no_member_order(text: str) -> None:
    assert parse_member_order(text) is None
