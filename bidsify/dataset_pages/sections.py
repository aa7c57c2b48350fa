"""What a page says of a dataset, section by section, from its declaration alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..dataset import (
    Column,
    Dataset,
    Image,
    Masks,
    Product,
    Segmentation,
    Sign,
    SubjectTable,
)
from ..entities import format_name
from ..label_files import LabelFile, label_files
from ..markdown import code, inline, table
from ..planning.description import regions_as_markdown

_SOURCE_ID = Column(description="Name of the subject in the source dataset.", value="{}")
_FIELD = re.compile(r"\{(\w+)(?::\d+)?\}")


def signs(dataset: Dataset) -> Iterator[str]:
    """Yield how this edition is told from others, in the order in which it is asked."""
    yield from (f"- {_sign(sign)}" for sign in sorted(dataset.signs, key=_rank))


def subjects(dataset: Dataset) -> Iterator[str]:
    """Yield the numbers of subjects in the publication, by set."""
    if not dataset.subjects:
        yield "Their number was not established."
        return
    split = dataset.columns.get("split")
    levels = split.levels if split else {}
    rows = [
        (code(part) if part else "all", str(count), inline(levels.get(part, "")))
        for part, count in dataset.subjects.items()
    ]
    if len(rows) > 1:
        rows.append(("all", str(dataset.expected_subjects), ""))
    yield from table(("set", "subjects", "what it is"), rows)


def files(dataset: Dataset) -> Iterator[str]:
    """Yield what is made of what: a row for each product."""
    rows = (
        (
            code(_target(product)),
            "<br>".join(map(code, product.source)),
            inline(str(product.sidecar.get("Description", ""))),
            "; ".join(_remarks(product)),
        )
        for product in dataset.products
    )
    yield from table(("file", "made of", "what it is", "mind"), rows)
    yield from _series(dataset)
    if dataset.descriptions:
        meant = ((code(f"desc-{k}"), inline(v)) for k, v in dataset.descriptions.items())
        yield from ("", *table(("label", "meaning"), meant))
    if dataset.bidsignore:
        patterns = ", ".join(map(code, dataset.bidsignore))
        yield from ("", f"BIDS has no place for these yet; `.bidsignore` lists them: {patterns}.")


def labels(dataset: Dataset) -> Iterator[str]:
    """Yield each label table in full, then the regions."""
    tables = label_files(dataset)
    if not tables:
        yield from ("The dataset has no label maps.", "")
    for each in tables:
        yield from (f"### {code(each.name)}", "", *_label_table(each), "")
    if dataset.regions:
        yield from ("### `regions.tsv`", "", "Unions of labels; they are never voxel values.", "")
        yield from (*regions_as_markdown(dataset.regions), "")
    for suspect in _suspects(dataset):
        yield from (suspect, "")


def participants(dataset: Dataset) -> Iterator[str]:
    """Yield the columns of ``participants.tsv``, and the tables of the source they come from."""
    columns = {"source_id": _SOURCE_ID, **dataset.columns}
    rows = (
        (code(name), _meaning(column), "paths" if column.value else "tables of the source")
        for name, column in columns.items()
    )
    yield from table(("column", "meaning", "from"), rows)
    if dataset.tables:
        yield from ("", "Tables of the source, where they are there:", "")
        yield from (f"- {_subject_table(each)}" for each in dataset.tables)


def ignored(dataset: Dataset) -> Iterator[str]:
    """Yield what is left out on purpose, and why."""
    if not dataset.ignored:
        yield "Nothing that is known. A file that the declaration does not name is reported."
        return
    rows = ((code(rule.source), inline(rule.reason)) for rule in dataset.ignored)
    yield from table(("files", "why"), rows)


def warnings(dataset: Dataset) -> Iterator[str]:
    """Yield what a validator will still warn of, because the source does not say more."""
    yield from [*_warnings(dataset)] or ["None is known."]


def _warnings(dataset: Dataset) -> Iterator[str]:
    readers = {getattr(product, "reader", "") for product in dataset.products}
    if readers & {"tensors", "pictures"}:
        yield "- `NIFTI_UNIT`: the source states no size of a voxel, and none is invented."
    elif "nifti" in readers:
        yield "- `NIFTI_UNIT`, where the header of a source file states no unit: none is invented."
    for image in dataset.products:
        if isinstance(image, Image) and image.plausible:
            low, high = image.plausible
            yield f"- {code(image.name)}: values outside of {low:g} to {high:g}; they are kept."


def _series(dataset: Dataset) -> Iterator[str]:
    """Yield how DICOM files are known whose names say nothing."""
    if dataset.series:
        yield from ("", "What DICOM names do not tell is read in one header of each folder:")
        rows = (
            (code(s.source), s.modality, s.description and code(s.description), code(s.name))
            for s in dataset.series
        )
        head = ("files", "modality", "in the series description", "read as")
        yield from ("", *table(head, rows))


def _rank(sign: Sign) -> int:
    return 0 if sign.path else 1 if sign.label is not None else 2


def _sign(sign: Sign) -> str:
    if sign.path:
        return f"the path of a file, in which the expression {code(sign.path)} is found"
    if sign.label is not None:
        return f"the label {sign.label} in one of the segmentations that are looked into"
    return f"a grid of {' x '.join(map(str, sign.shape))} voxels in one of the images looked into"


def _target(product: Product) -> str:
    entities = {name: _FIELD.sub(r"<\1>", text) for name, text in product.entities.items()}
    name = format_name(entities, product.suffix, product.file_extension)
    return f"{product.datatype}/*_{name}"


def _remarks(product: Product) -> Iterator[str]:
    of = getattr(product, "of", ())
    if drawn_on := (of,) if isinstance(of, str) and of else of:
        yield f"lies on {', '.join(map(code, drawn_on))}"
    if isinstance(product, Image):
        yield f"called {code(product.name)} here"
    for name, expression in product.absent_where.items():
        yield f"not published where {code(name)} is {code(expression)}"
    if product.is_optional:
        yield "not every subject has it"
    if isinstance(product, Masks) and product.regions:
        yield f"channels: {inline(', '.join(product.regions))}"
    if isinstance(product, Masks) and product.unless:
        yield f"only where it differs from {code(product.unless.key)}"


def _label_table(file: LabelFile) -> Iterator[str]:
    yield from map(inline, file.descriptions)
    if not file.is_written:
        yield "BIDS has no file for this table; it is stated here alone."
    yield ""
    if not file.table.is_stated:
        yield "**Not known**: sources do not agree on what the values mean. State it with"
        yield "`--label-table labels.tsv`: tab-separated columns `index` and `name`, one row for"
        yield "each value that occurs, 0 for the background among them."
        return
    columns = file.table.columns
    rows = (
        [code(row[c]) if c == "color" else inline(row[c]) for c in columns]
        for row in file.table.rows
    )
    yield from table([inline(c).replace("_", " ") for c in columns], rows)
    yield from _structures(file)


def _structures(file: LabelFile) -> Iterator[str]:
    """Yield the names that contours of a label have in the source."""
    named: Mapping[int, tuple[str, ...]] = file.segmentations[0].structures
    if named:
        rows = ((str(index), ", ".join(map(code, names))) for index, names in named.items())
        yield from ("", *table(("index", "names of the contours in the source"), rows))


def _suspects(dataset: Dataset) -> dict[str, None]:
    """Return a sentence for each kind of copy that is refused; keys of a dict keep their order."""
    drawn = [p for p in dataset.products if isinstance(p, Segmentation)]
    return dict.fromkeys(
        f"**Refused**: a source whose masks hold {_numbers(suspect.values)} and none of "
        f"{_numbers(suspect.unless)}. {inline(suspect.reason)}"
        for product in drawn
        for suspect in product.suspects
    )


def _numbers(values: tuple[int, ...]) -> str:
    return ", ".join(map(str, values))


def _meaning(column: Column) -> str:
    parts = [inline(column.description)]
    if column.units:
        parts.append(f"Unit: {inline(column.units)}.")
    if column.levels:
        parts.append("; ".join(f"{code(k)}: {inline(v)}" for k, v in column.levels.items()))
    return " ".join(parts)


def _subject_table(each: SubjectTable) -> str:
    parts = [code(each.source)]
    said = ", ".join(f"{code(name)} {code(value)}" for name, value in each.states.items())
    if each.is_list:
        parts.append(f"is a list: being named there states {said}")
    else:
        parts.append("all columns, under their names in lower case")
    for native, ours in each.renamed.items():
        parts.append(f"{code(native)} becomes {code(ours)}")
    if said and not each.is_list:
        parts.append(f"being named there states {said}")
    if each.sidecar:
        parts.append(f"{code(each.sidecar)} defines the columns")
    return "; ".join(parts).replace(";", ":", 1) if not each.is_list else " ".join(parts)
