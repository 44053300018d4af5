"""Builders of good and hostile resume files, so that no binary lies in the repository.

Every builder that can carries `MARK`, a word that must never appear in an error message.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import docx
from docx.oxml import parse_xml
from PIL import Image, ImageDraw
from pypdf import PdfReader, PdfWriter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

MARK = "Zanzibarovic"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
BODY = "word/document.xml"
ACHIEVEMENT = "Reduced checkout latency by 45% by rewriting the payment service in Go"
RESUME = f"""Ada {MARK}
ada@example.com | +44 20 7946 0958 | linkedin.com/in/ada
Summary
Backend engineer with eight years of experience in payments and logistics.
Experience
Senior Engineer, Northwind, 2019 - 2023
- {ACHIEVEMENT}
- Led a team of 6 engineers and shipped 14 releases without an outage
- Responsible for code reviews and on-call rotation in the platform group
Engineer, Contoso, 2015 - 2019
- Migrated 120 services to Kubernetes, which saved $300,000 a year
Education
BSc Computer Science, University of Leeds, 2014
Skills
Python, Go, PostgreSQL, Kubernetes, Terraform
"""


def pdf(*pages: str) -> bytes:
    """A PDF with one text page per argument."""
    target = BytesIO()
    paper = canvas.Canvas(target)
    for page in pages:
        pen = paper.beginText(40, 800)
        pen.setFont("Helvetica", 9)
        for line in page.splitlines():
            pen.textLine(line)
        paper.drawText(pen)
        paper.showPage()
    paper.save()
    return target.getvalue()


def scan(count: int = 1) -> bytes:
    """A PDF whose pages are pictures of text."""
    picture = Image.new("L", (600, 800), 255)
    ImageDraw.Draw(picture).text((40, 40), RESUME, fill=0)
    target = BytesIO()
    paper = canvas.Canvas(target)
    for _ in range(count):
        paper.drawImage(ImageReader(picture), 0, 0)
        paper.showPage()
    paper.save()
    return target.getvalue()


def joined(*files: bytes) -> bytes:
    """The pages of several PDFs in one."""
    writer = PdfWriter()
    for data in files:
        writer.append(PdfReader(BytesIO(data)))
    return _written(writer)


def encrypted(password: str, algorithm: str = "AES-256") -> bytes:
    """A PDF with this user password; with an empty one any reader opens it."""
    writer = PdfWriter()
    writer.append(PdfReader(BytesIO(pdf(RESUME))))
    writer.encrypt(user_password=password, owner_password="owner", algorithm=algorithm)
    return _written(writer)


def _written(writer: PdfWriter) -> bytes:
    target = BytesIO()
    writer.write(target)
    return target.getvalue()


def raw_pdf(content: bytes, *, compress: bool = True, kids: int = 1) -> bytes:
    """A PDF written by hand: `kids` references to one page with this content stream."""
    stream = zlib.compress(content, 9) if compress else content
    kind = b"/Filter /FlateDecode " if compress else b""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (kids, b"3 0 R " * kids),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< %s/Length %d >>\nstream\n%s\nendstream" % (kind, len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer << /Root 1 0 R /Size 6 >>\nstartxref\n%d\n%%%%EOF" % len(out)
    return out + b"xref\n0 6\n0000000000 65535 f \n" + table + trailer


def operators(megabytes: int, *, compress: bool = True) -> bytes:
    """A PDF page with this many megabytes of drawing commands and no text."""
    return raw_pdf(b"0 0 m 1 1 l S\n" * (megabytes * 1_000_000 // 14), compress=compress)


def letters_one_by_one() -> bytes:
    """A small PDF page that calls for 200,000 drawing steps, half of them text."""
    return raw_pdf(b"/X1 Do\n" * 100_000 + b"BT /F1 9 Tf (x) Tj ET\n" * 100_000)


def word(*, header: str = "", box: str = "", hidden: str = "", footer: str = "") -> bytes:
    """A DOCX with the resume, its jobs in a table and optional text in less usual places."""
    document = docx.Document()
    before, _, after = RESUME.partition("Engineer, Contoso")
    for line in before.splitlines():
        document.add_paragraph(line)
    table = document.add_table(rows=1, cols=2)
    table.cell(0, 0).text = "Tabletown"
    table.cell(0, 1).text = "2012 - 2014"
    nested = table.add_row().cells[0].add_table(rows=1, cols=1)
    nested.cell(0, 0).text = "Nested cell text"
    for line in ("Engineer, Contoso" + after).splitlines():
        document.add_paragraph(line)
    if header:
        document.sections[0].header.paragraphs[0].text = header
    if footer:
        document.sections[0].footer.paragraphs[0].text = footer
    if hidden:
        document.add_paragraph().add_run(hidden).font.hidden = True
    if box:
        document.add_paragraph("Box owner").runs[0]._r.append(_text_box(box))
    target = BytesIO()
    document.save(target)
    return target.getvalue()


def _text_box(text: str) -> object:
    shape = f"<w:txbxContent><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:txbxContent>"
    return parse_xml(
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        f'xmlns:w="{W}"><mc:Choice Requires="wps"><w:drawing>{shape}</w:drawing></mc:Choice>'
        f"<mc:Fallback><w:pict>{shape}</w:pict></mc:Fallback></mc:AlternateContent>"
    )


def rezipped(data: bytes, changes: Mapping[str, bytes]) -> bytes:
    """The same archive with entries replaced or added."""
    target = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if entry.filename not in changes:
                new.writestr(entry.filename, old.read(entry))
        for name, content in changes.items():
            new.writestr(name, content)
    return target.getvalue()


def word_with_body(body: bytes) -> bytes:
    """A DOCX whose body element holds this XML."""
    text = b'<?xml version="1.0"?><w:document xmlns:w="%s"><w:body>%s</w:body></w:document>'
    return rezipped(word(), {BODY: text % (W.encode(), body)})


def zip_bomb(megabytes: int) -> bytes:
    """A DOCX whose document.xml unpacks to this many megabytes of blanks."""
    return word_with_body(b" " * (megabytes * 1_000_000))


def lying_zip(megabytes: int) -> bytes:
    """The same, but the zip directory says that document.xml has 1,000 bytes."""
    data = bytearray(zip_bomb(megabytes))
    real = zipfile.ZipFile(BytesIO(data)).getinfo(BODY).file_size
    for at in (i for i in range(len(data) - 4) if data[i : i + 4] == struct.pack("<I", real)):
        data[at : at + 4] = struct.pack("<I", 1_000)
    return bytes(data)


def many_entries(count: int) -> bytes:
    return rezipped(word(), {f"word/media/{n}.txt": b"x" for n in range(count)})


def deep_xml(depth: int) -> bytes:
    return word_with_body(b"<w:sdt>" * depth + b"</w:sdt>" * depth)


def entity_bomb() -> bytes:
    """A DOCX with nested entities that would grow to a billion words."""
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    xml = f'<!DOCTYPE d [<!ENTITY e0 "lol">{levels}]><w:document xmlns:w="{W}"><w:body><w:p><w:r>'
    xml += "<w:t>&e9;</w:t></w:r></w:p></w:body></w:document>"
    return rezipped(word(), {BODY: xml.encode()})


def outside_entity(path: Path) -> bytes:
    """A DOCX that asks the parser to paste a file of the server."""
    xml = f'<!DOCTYPE d [<!ENTITY e SYSTEM "{path.as_uri()}">]><w:document xmlns:w="{W}"><w:body><w:p><w:r>'
    xml += "<w:t>start &e; end</w:t></w:r></w:p></w:body></w:document>"
    return rezipped(word(), {BODY: xml.encode()})


def nested_tables(depth: int) -> bytes:
    """A DOCX with a table in a table in a table."""
    return word_with_body(b"<w:tbl><w:tr><w:tc>" * depth + b"</w:tc></w:tr></w:tbl>" * depth)


def all_hidden() -> bytes:
    """A DOCX whose one paragraph Word does not show."""
    return word_with_body(
        b"<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>%s</w:t></w:r></w:p>" % (MARK.encode() + b" words" * 30)
    )


def annotated(count: int) -> bytes:
    """A PDF page without text that carries this many notes."""
    return _page_with(b"/Annots [%s]" % (b"5 0 R " * count))


def form_in_itself() -> bytes:
    """A PDF page that draws a form which draws itself."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 4 0 R >> >> "
    return _page_with(b"/Contents 4 0 R", form, b"/X Do " * 100)


def white_letters_on_fields() -> bytes:
    """A PDF page with many fields, and many white letters, each of which may stand on any of them."""
    fields = b"".join(b"0 0 0 rg %d 0 1 1 re f\n" % (10 * n) for n in range(60))
    return raw_pdf(fields + b"BT /F1 9 Tf 1 g 0 400 Td\n" + b"(x y) Tj\n" * 25_000 + b"ET\n")


def page_in_itself() -> bytes:
    """A PDF whose page tree is a circle."""
    return raw_pdf(b"").replace(b"/Kids [3 0 R ]", b"/Kids [2 0 R ]")


def _page_with(keys: bytes, form: bytes = b"", content: bytes = b"") -> bytes:
    plain = raw_pdf(content, compress=False).replace(b"/Font <<", b"/XObject << /X 4 0 R >> /Font <<")
    return plain.replace(b"/Contents 4 0 R", keys).replace(b"<< /Length", b"<< " + form + b"/Length")


def old_word() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + MARK.encode("utf-16-le") + bytes(2_000)


def program() -> bytes:
    return b"MZ\x90\x00" + MARK.encode() + bytes(2_000)


def picture() -> bytes:
    target = BytesIO()
    Image.new("RGB", (20, 20)).save(target, "PNG")
    return target.getvalue()
