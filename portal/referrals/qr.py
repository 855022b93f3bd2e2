"""A link as QR code: as a picture, and on a sheet to print."""

from __future__ import annotations

import io

import segno
from flask import Response, make_response, redirect, render_template
from werkzeug import Response as AnyResponse

from portal.config import current_settings
from portal.core import pdf
from portal.referrals.models import ReferralLink


def address_of(link: ReferralLink) -> str:
    """The whole address that is printed, or put into a QR code."""
    return f"{current_settings().address}/r/{link.code}"


def draw(link: ReferralLink) -> str:
    """The QR code as SVG, with the quiet border that readers need. A quarter of it may be damaged."""
    file = io.BytesIO()
    code = segno.make_qr(address_of(link), error="q")
    code.save(file, kind="svg", xmldecl=False, scale=8, border=4, dark="#000", light="#fff", omitsize=True)
    return file.getvalue().decode()


def send_svg(link: ReferralLink) -> Response:
    """The QR code as a picture."""
    return Response(draw(link), mimetype="image/svg+xml")


def send_sheet(link: ReferralLink, otherwise: str) -> AnyResponse:
    """A sheet with the code, large and as cards to cut out, as PDF; where none can be made, to another address."""
    try:
        page = render_template("referrals/sheet.html", link=link, address=address_of(link), qr=draw(link))
        document = pdf.render_pdf(page, style="link-sheet.css")
    except pdf.PdfUnavailable:
        return redirect(otherwise, 303)
    response = make_response(document)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{link.code}.pdf"'
    return response
