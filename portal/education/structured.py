"""What a page is, in the vocabulary of schema.org, for search engines."""

from __future__ import annotations

from typing import Any

from flask import url_for

from portal.config import current_settings
from portal.education.library import Page

Data = dict[str, Any]
KIND_NAMES = {"articles": "Articles", "treatments": "Treatments"}


def describe_page(page: Page[Any]) -> Data:
    """The page as MedicalWebPage, its common questions as FAQPage, and the way to it as BreadcrumbList."""
    return {"@context": "https://schema.org", "@graph": [_web_page(page), _breadcrumbs(page), *_questions(page)]}


def _web_page(page: Page[Any]) -> Data:
    about = page.about
    data: Data = {
        "@type": "MedicalWebPage",
        "@id": _address(page.path),
        "url": _address(page.path),
        "name": about.title,
        "headline": about.title,
        "description": about.summary,
        "inLanguage": "en-US",
        "datePublished": about.written.isoformat(),
        "publisher": {"@id": _address("/#clinic")},
        "isPartOf": {"@type": "WebSite", "url": _address("/")},
        "about": {"@type": _subject_type(page), "name": _subject(page)},
        "image": _address(url_for("education.show_card", kind=about.kind, slug=page.slug)),
        "citation": [reference.text for reference in page.references],
    }
    if about.reviewed:
        data["lastReviewed"] = about.reviewed.isoformat()
    return data


def _subject_type(page: Page[Any]) -> str:
    return "MedicalCondition" if page.about.kind == "articles" else "MedicalTherapy"


def _subject(page: Page[Any]) -> str:
    return page.slug.replace("-", " ").capitalize()


def _breadcrumbs(page: Page[Any]) -> Data:
    steps = (
        ("Home", "/"),
        (KIND_NAMES[page.about.kind], f"/{page.about.kind}/"),
        (page.about.title, page.path),
    )
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": name, "item": _address(path)}
            for position, (name, path) in enumerate(steps, 1)
        ],
    }


def _questions(page: Page[Any]) -> list[Data]:
    if not page.questions:
        return []
    return [
        {
            "@type": "FAQPage",
            "mainEntity": [
                {"@type": "Question", "name": question, "acceptedAnswer": {"@type": "Answer", "text": answer}}
                for question, answer in page.questions
            ],
        }
    ]


def _address(path: str) -> str:
    return f"{current_settings().address}{path}"
