"""Read what the rules may ask of a file, each by its kind; say what cannot be read."""

from __future__ import annotations

from functools import lru_cache

from .associations import associate
from .context import Context
from .files.headers import HEAD, read_gzip, read_nifti
from .files.inheritance import Ambiguity, sidecar_of
from .files.texts import read_headerless, read_json, read_start, read_table
from .files.tiff import HEAD as TIFF_HEAD
from .files.tiff import read_tiff
from .files.tree import File
from .findings import finding
from .issue import Finding, Located
from .values import text, true

_TIFF = (".tif", ".btf")


def load(context: Context, file: File, found: list[Located]) -> None:
    """Fill the context of a file; append what stands in the way."""
    extension = context.extension
    if extension == ".json":
        document = read_json(file)
        context.is_partial = file.is_absent
        if document.fault:
            found.append((context.relative, document.fault))
        context.json = document.value or {}
        context.contents = _contents(extension, context.suffix, has_associations=False)
        return
    load_others(context, file, found)
    if "columns" in context.contents:
        _load_columns(context, file, found)
    if not context.contents.isdisjoint({"nifti_header", "gzip", "tiff"}):
        _load_headers(context, file, found)


def load_others(context: Context, file: File, found: list[Located]) -> None:
    """Read the files that apply to a file, or to a folder with a name like one."""
    sidecar = sidecar_of(file)
    if isinstance(sidecar, Ambiguity):
        found.append((sidecar.path, sidecar.found))
    else:
        context.sidecar, context.origins = sidecar.values, sidecar.origins
        context.only, context.is_partial = sidecar.only, sidecar.is_partial
        found += sidecar.conflicts
    found += associate(context, file)
    has_associations = bool(context.associations)
    context.contents = _contents(
        context.extension, context.suffix, has_associations=has_associations
    )


@lru_cache(maxsize=1024)
def _contents(extension: str, suffix: str, *, has_associations: bool) -> frozenset[str]:
    """Say what a file of a kind may have to read."""
    if extension == ".json":
        return frozenset({"json"})
    contents = {"sidecar"}
    if has_associations:
        contents.add("associations")
    if extension in {".tsv", ".tsv.gz"} or suffix == "motion":
        contents.add("columns")
    if extension.startswith(".nii"):
        contents.add("nifti_header")
    if extension.endswith(".gz"):
        contents.add("gzip")
    if extension.endswith(_TIFF):
        contents |= {"tiff", "ome"}
    return frozenset(contents)


def _load_columns(context: Context, file: File, found: list[Located]) -> None:
    if context.extension == ".tsv" and context.suffix != "motion":
        table = read_table(file)
    else:
        is_compressed = context.extension == ".tsv.gz"
        channels = context.associations.get("channels") or {}
        names = context.sidecar.get("Columns") if is_compressed else channels.get("name")
        if not true(names) or not file.size:
            return  # other rules ask for the names
        if not isinstance(names, list):
            message = "'Columns' in its sidecar is no list of names: the table cannot be read"
            if is_compressed:
                found.append((context.relative, finding("INVALID_GZIP", message)))
            return
        names = list(map(text, names))
        table = read_headerless(file, names, is_compressed=is_compressed)
    context.columns = table.columns
    context.is_partial |= file.is_absent
    if table.fault:
        found.append((context.relative, table.fault))


def _load_headers(context: Context, file: File, found: list[Located]) -> None:
    extension = context.extension
    is_nifti = extension.startswith(".nii")
    if is_nifti and not context.dataset.options.nifti_headers and not extension.endswith(".gz"):
        return
    head = read_start(file, TIFF_HEAD if extension.endswith(_TIFF) else HEAD)
    if isinstance(head, Finding):
        found.append((context.relative, head))
        return
    if is_nifti and context.dataset.options.nifti_headers:
        context.header = read_nifti(head)
        if context.header is None:
            found.append((context.relative, finding("NIFTI_HEADER_UNREADABLE")))
        elif context.header.context["axis_codes"] is None:
            found.append((context.relative, finding("AMBIGUOUS_AFFINE")))
    if extension.endswith(".gz"):
        context.gzip = read_gzip(head)
    if extension.endswith(_TIFF):
        context.tiff, context.ome = read_tiff(head, is_ome=extension.startswith(".ome"))
