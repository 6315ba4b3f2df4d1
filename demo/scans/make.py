"""Draws the scans of the demo: invented letters and papers, printed, then put on a scanner slightly crooked.

Run by hand when a text changes; the PNG files beside this script are what the demo reads.
Needs Python 3.10 or newer, Pillow (pip install pillow) and the DejaVu fonts (Debian: fonts-dejavu).

    python3 demo/scans/make.py
"""

import random
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

HERE = Path(__file__).parent
PAPER, INK = 246, 38
MARGIN = 80
COLUMN = 21  # where amounts end, in letter heights from the margin
GREY_LEVELS = 12  # few levels keep a page below 60 kB and look like a cheap scanner

SERIF = ("DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf")
SANS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
MONO = ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf")

# A line that begins with "# " is a heading, "* " is bold, "---" a rule; two blanks set off an amount.
PAGES = {
    "invoice-2041": dict(
        fonts=SANS, size=25, width=1000, skew=0.5,
        lines="""
# Brightwater Paper Ltd
14 Quay Street, Bristol
accounts@brightwater.example
---
* Invoice INV-2041
Date: March 12, 2026
Bill to: Halden Robotics GmbH, Hamburg
Attention: Maria Lindqvist

40 boxes of recycled paper      $1,180.00
12 cartons of A3 card              $642.50
Delivery by road freight             $95.00
---
* Total due: $1,917.50
Payment is due on April 11, 2026.
A discount of 2% is granted until March 22, 2026.
""",
    ),
    "letter-hartmann": dict(
        fonts=SERIF, size=25, width=1040, skew=-0.6,
        lines="""
# Rosewood Library Trust
8 Abbey Lane, Edinburgh

September 3, 2026

Dear Mr Thomas Hartmann,

Thank you for your gift of $2,500 to our reading room.
The new shelves arrived from Lisbon last Monday, and
the room opens on October 15, 2026 at 10:30 am.

Our director, Dr Elena Marsh, would be glad to show you
the first 300 books. Please write to visits@rosewood.example
or see https://rosewood.example/opening for the programme.

With kind regards,
Oliver Penrose
""",
    ),
    "contract-note-7718": dict(
        fonts=SERIF, size=24, width=1040, skew=0.35,
        lines="""
# Contract Note CN-7718
Kestrel Securities AG, Zurich
---
Client: Amara Okafor
Trade date: June 18, 2026
Settlement: June 22, 2026

We have bought for your account 250 shares of
Solvang Shipping Ltd at a price of $36.40 each.

Consideration      $9,100.00
Commission of 0.4%      $36.40
* Total to pay      $9,136.40
---
Please tell us of any error within five days.
""",
    ),
    "receipt-0093": dict(
        fonts=MONO, size=25, width=720, skew=-0.8,
        lines="""
# Cafe Miramar
27 Harbour Road
Porto
---
Receipt RC-0093
May 7, 2026       08:45 am

2 Flat white         $7.60
1 Almond cake        $4.20
1 Orange juice       $3.90
---
* Total              $15.70
Paid by card

Served by Ines Duarte
hello@miramar.example
""",
    ),
    "field-report-31": dict(
        fonts=SANS, size=24, width=1040, skew=0.7,
        lines="""
# Field Report FR-31
Tindal Water Institute
---
Author: Samuel Adeyemi
Site: Loch Varren, Inverness
Date: November 2, 2026

The gauge was read twice, at 6:15 am and at 4:40 pm.
The level rose by 12% within three days, the third rise
since August. Repairs will cost about $18,000 and take
two weeks. Dr Priya Raman of Corvane Systems Inc will
inspect the station on Thursday.

Questions to field@tindal.example
""",
    ),
}


def draw_page(fonts: tuple[str, str], size: int, width: int, lines: str) -> Image.Image:
    """Prints the lines on a sheet just long enough for them."""
    regular, bold = (ImageFont.truetype(name, size) for name in fonts)
    heading = ImageFont.truetype(fonts[1], int(size * 1.45))
    step = int(size * 1.6)
    rows = lines.strip("\n").split("\n")
    page = Image.new("L", (width, 2 * MARGIN + step * len(rows)), PAPER)
    pen = ImageDraw.Draw(page)
    for number, row in enumerate(rows):
        y = MARGIN + number * step
        if row == "---":
            pen.line((MARGIN, y + step // 2, width - MARGIN, y + step // 2), fill=205, width=2)
        elif row.startswith("# "):
            pen.text((MARGIN, y - size // 3), row[2:], font=heading, fill=INK)
        else:
            font = bold if row.startswith("* ") else regular
            label, _, amount = row.removeprefix("* ").partition("  ")
            pen.text((MARGIN, y), label, font=font, fill=INK)
            pen.text((MARGIN + COLUMN * size, y), amount.strip(), font=font, fill=INK, anchor="ra")
    return page


def scan(page: Image.Image, skew: float, dice: random.Random) -> Image.Image:
    """What a flatbed scanner makes of a sheet: crooked, a little soft, shaded at one edge, with specks of dust."""
    page = page.rotate(skew, resample=Image.Resampling.BICUBIC, fillcolor=PAPER)
    page = page.filter(ImageFilter.GaussianBlur(0.7))
    shade = Image.linear_gradient("L").rotate(90).resize(page.size).point(lambda x: 238 + min(17, x // 3))
    page = ImageChops.multiply(page, shade)
    pen = ImageDraw.Draw(page)
    for _ in range(page.width * page.height // 9000):
        x, y = dice.randrange(page.width), dice.randrange(page.height)
        pen.point((x, y), fill=dice.randrange(90, 200))
    for _ in range(3):
        x, y = dice.randrange(page.width), dice.choice((dice.randrange(40), page.height - dice.randrange(1, 40)))
        pen.ellipse((x, y, x + 4, y + 3), fill=110)
    return page.quantize(GREY_LEVELS, dither=Image.Dither.NONE)


def main() -> None:
    for name, page in PAGES.items():
        skew = page.pop("skew")
        sheet = scan(draw_page(**page), skew, random.Random(name))
        target = HERE / f"{name}.png"
        sheet.save(target, optimize=True)
        print(f"{target.name}: {sheet.width} x {sheet.height}, {target.stat().st_size / 1000:.1f} kB")


if __name__ == "__main__":
    main()
