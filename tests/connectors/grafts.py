"""A workbook with what no free program writes: the parts are made by hand after their schemas and grafted in.

XlsxWriter writes the ground (pictures in cells, boxes to tick, a picture in the page's head, ranges open in a protected
tab). Grafted: slicers and timelines (MS-XLSX 2.1.22 to 2.1.30), threaded comments and their people (MS-XLSX 2.1.41),
form controls, links to another workbook, a query and its connection, custom XML and its map, printer settings, views,
scenarios, watches, properties of the tab, phonetic guides, protection of the workbook, a signature (ECMA-376 part 1,
12.3 and 18; part 2, 10).
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import xlsxwriter
from lxml import etree

from connectors.sheets.xlsx.values import to_serial
from tests.connectors.workbooks import HEADERS, png

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
MICROSOFT = "http://schemas.microsoft.com/office"
X14 = f"{MICROSOFT}/spreadsheetml/2009/9/main"
X15 = f"{MICROSOFT}/spreadsheetml/2010/11/main"
THREADED = f"{MICROSOFT}/spreadsheetml/2018/threadedcomments"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
SHEET = "xl/worksheets/sheet1.xml"
PEOPLE = 6
ZOE, MARIE = "{00000000-0001-4000-8000-000000000001}", "{00000000-0002-4000-8000-000000000002}"
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
ORDER = (
    "sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "sheetCalcPr", "sheetProtection",
    "protectedRanges", "scenarios", "autoFilter", "sortState", "dataConsolidate", "customSheetViews", "mergeCells",
    "phoneticPr", "conditionalFormatting", "dataValidations", "hyperlinks", "printOptions", "pageMargins", "pageSetup",
    "headerFooter", "rowBreaks", "colBreaks", "customProperties", "cellWatches", "ignoredErrors", "smartTags", "drawing",
    "legacyDrawing", "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems",
    "tableParts", "extLst",
)  # fmt: skip
"""ECMA-376 part 1, 18.3.1.99: what stands in a worksheet, in this order."""


class Grafted:
    """The parts of a workbook, to which others are added."""

    def __init__(self, raw: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(raw)) as book:
            self.parts = {name: book.read(name) for name in book.namelist()}

    def add(self, part: str, content: str | bytes, content_type: str, source: str, kind: str) -> str:
        """A new part with its content type, related to `source` ("" is the package). Gives the relation's id."""
        self.parts[part] = content if isinstance(content, bytes) else (HEAD + content).encode()
        if content_type:
            self.inside("[Content_Types].xml", f'<Override PartName="/{part}" ContentType="{content_type}"/>')
        return self.relate(source, kind, f"/{part}")

    def relate(self, source: str, kind: str, target: str, mode: str = "") -> str:
        folder, _, name = source.rpartition("/")
        path = f"{folder}/_rels/{name}.rels".lstrip("/")
        self.parts.setdefault(path, f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships"/>'.encode())
        number = f"rId{self.parts[path].count(b'<Relationship ') + 1}"
        outside = f' TargetMode="{mode}"' if mode else ""
        self.inside(path, f'<Relationship Id="{number}" Type="{kind}" Target="{target}"{outside}/>')
        return number

    def inside(self, part: str, xml: str, parent: str = "") -> None:
        """`xml` as the last child of the part's root, or of the first element called `parent`."""
        root = etree.fromstring(self.parts[part])
        place = root if not parent else next(root.iter(f"{{*}}{parent}"))
        place.append(_piece(xml, root))
        self.parts[part] = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)

    def in_order(self, xml: str) -> None:
        """A child of the worksheet where the schema wants it; one that is there already takes the new one's children."""
        root = etree.fromstring(self.parts[SHEET])
        new = _piece(xml, root)
        name = etree.QName(new).localname
        there = root.find(f"{{{MAIN}}}{name}")
        if there is not None:
            there.extend(list(new))
        else:
            later = [child for child in root if ORDER.index(etree.QName(child).localname) > ORDER.index(name)]
            root.insert(root.index(later[0]) if later else len(root), new)
        self.parts[SHEET] = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)

    def in_workbook(self, xml: str, *, before: tuple[str, ...]) -> None:
        root = etree.fromstring(self.parts["xl/workbook.xml"])
        place = next(root.index(child) for child in root if etree.QName(child).localname in before)
        root.insert(place, _piece(xml, root))
        self.parts["xl/workbook.xml"] = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)

    def save(self, path: Path) -> Path:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
            for name, content in self.parts.items():
                book.writestr(name, content)
        return path


def _piece(xml: str, root: Any) -> Any:
    namespace = etree.QName(root).namespace
    return etree.fromstring(f'<r xmlns="{namespace}" xmlns:r="{OFFICE}" xmlns:x14="{X14}" xmlns:x15="{X15}">{xml}</r>')[
        0
    ]


def grafted(path: Path) -> Path:
    """A tab `Contacts` that holds a table `Public` of six people, among everything that the module's text names."""
    book = Grafted(_ground())
    _slicers(book)
    _comments(book)
    _controls(book)
    _outside(book)
    _printing_and_views(book)
    _workbook(book)
    return book.save(path)


def _ground() -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    sheet = book.add_worksheet("Contacts")
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    columns: list[dict[str, Any]] = [{"header": header} for header in HEADERS[:5]]
    sheet.add_table(
        0,
        0,
        PEOPLE,
        5,
        {"name": "Public", "columns": [*columns, {"header": "Total", "formula": "=Public[[#This Row],[Visites]]*2"}]},
    )
    for row in range(1, PEOPLE + 1):
        sheet.write_row(row, 0, [f"Personne {row}", f"p{row}@example.org"])
        sheet.write_number(row, 2, to_serial(_day(row), from_1904=False), day)
        sheet.write_number(row, 3, row)
    sheet.write_url(2, 1, "mailto:p2@example.org", string="p2@example.org")
    sheet.write_comment(1, 0, "Un fil", {"author": f"tc={ZOE}"})
    sheet.embed_image(1, 8, "dot.png", {"image_data": io.BytesIO(png()), "description": "portrait"})
    sheet.insert_checkbox(2, 8, True)
    sheet.insert_image(10, 8, "dot.png", {"image_data": io.BytesIO(png())})
    sheet.set_header("&L&G", {"image_left": "dot.png", "image_data_left": io.BytesIO(png())})
    sheet.protect("", {"insert_rows": True})
    sheet.unprotect_range(f"A2:F{PEOPLE + 1}", "Saisie")
    sheet.data_validation(1, 4, PEOPLE, 4, {"validate": "list", "source": ["oui", "non"]})
    sheet.set_row(8, None, None, {"level": 1, "collapsed": True})
    sheet.set_h_pagebreaks([20, 40])
    sheet.set_tab_color("#8C2332")
    sheet.print_area(0, 0, PEOPLE, 5)
    sheet.freeze_panes(1, 2)
    book.close()
    return target.getvalue()


def _day(row: int) -> Any:
    from datetime import date

    return date(2025, 1, row)


def _slicers(book: Grafted) -> None:
    slicer = book.add(
        "xl/slicers/slicer1.xml",
        f'<slicers xmlns="{X14}"><slicer name="Notes" cache="Slicer_Notes" caption="Notes" rowHeight="241300"/></slicers>',
        "application/vnd.ms-excel.slicer+xml", SHEET, f"{MICROSOFT}/2007/relationships/slicer",
    )  # fmt: skip
    cache = book.add(
        "xl/slicerCaches/slicerCache1.xml",
        f'<slicerCacheDefinition xmlns="{X14}" xmlns:x15="{X15}" name="Slicer_Notes" sourceName="Notes"><extLst><x:ext xmlns:x="{MAIN}" '
        'uri="{2F2917AC-EB37-4324-AD4E-5DD8C200BD13}"><x15:tableSlicerCache tableId="1" column="5"/></x:ext></extLst></slicerCacheDefinition>',
        "application/vnd.ms-excel.slicerCache+xml", "xl/workbook.xml", f"{MICROSOFT}/2007/relationships/slicerCache",
    )  # fmt: skip
    timeline = book.add(
        "xl/timelines/timeline1.xml",
        f'<timelines xmlns="{X15}"><timeline name="Vu" cache="NativeTimeline_Vu" caption="Vu" level="2" selectionLevel="2"/></timelines>',
        "application/vnd.ms-excel.timeline+xml", SHEET, f"{MICROSOFT}/2011/relationships/timeline",
    )  # fmt: skip
    book.in_order(
        f'<extLst><ext uri="{{3A4CF648-6AED-40f4-86FF-DC5316D8AED3}}"><x14:slicerList><x14:slicer r:id="{slicer}"/></x14:slicerList></ext>'
        f'<ext uri="{{7E03D99C-DC04-49d9-9315-930204A7B6E9}}"><x15:timelineRefs><x15:timelineRef r:id="{timeline}"/></x15:timelineRefs></ext>'
        '<ext uri="{78C0D931-6437-407d-A8EE-F0AAD7539E65}"><x14:conditionalFormattings><x14:conditionalFormatting '
        'xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main"><x14:cfRule type="iconSet" priority="9" '
        'id="{00000000-0003-4000-8000-000000000003}"><x14:iconSet iconSet="3Stars"><x14:cfvo type="percent"><xm:f>0</xm:f></x14:cfvo>'
        '<x14:cfvo type="percent"><xm:f>33</xm:f></x14:cfvo><x14:cfvo type="percent"><xm:f>67</xm:f></x14:cfvo></x14:iconSet></x14:cfRule>'
        f"<xm:sqref>D2:D{PEOPLE + 1}</xm:sqref></x14:conditionalFormatting></x14:conditionalFormattings></ext></extLst>"
    )
    book.inside(
        "xl/workbook.xml",
        f'<extLst><ext uri="{{46BE6895-7355-4a93-B00E-2C351335B9C9}}"><x15:slicerCaches><x14:slicerCache r:id="{cache}"/>'
        '</x15:slicerCaches></ext></extLst>',
    )  # fmt: skip


def _comments(book: Grafted) -> None:
    book.add(
        "xl/threadedComments/threadedComment1.xml",
        f'<ThreadedComments xmlns="{THREADED}"><threadedComment ref="A2" dT="2026-01-02T03:04:05.00" personId="{MARIE}" id="{ZOE}">'
        f'<text>On la rappelle ?</text></threadedComment><threadedComment ref="A2" dT="2026-01-03T03:04:05.00" personId="{MARIE}" '
        f'id="{{00000000-0004-4000-8000-000000000004}}" parentId="{ZOE}"><text>C’est fait.</text></threadedComment></ThreadedComments>',
        "application/vnd.ms-excel.threadedcomments+xml", SHEET, f"{MICROSOFT}/2017/10/relationships/threadedComment",
    )  # fmt: skip
    book.add(
        "xl/persons/person.xml",
        f'<personList xmlns="{THREADED}"><person displayName="Marie" id="{MARIE}" userId="marie@example.org" providerId="None"/></personList>',
        "application/vnd.ms-excel.person+xml", "xl/workbook.xml", f"{MICROSOFT}/2017/10/relationships/person",
    )  # fmt: skip


def _controls(book: Grafted) -> None:
    control = book.add(
        "xl/ctrlProps/ctrlProp1.xml",
        f'<formControlPr xmlns="{X14}" objectType="Drop" dropStyle="combo" fmlaLink="$J$1" fmlaRange="$A$2:$A$7" sel="1" val="0"/>',
        "application/vnd.ms-excel.controlproperties+xml", SHEET, f"{OFFICE}/ctrlProp",
    )  # fmt: skip
    book.in_order(
        '<controls><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice Requires="x14">'
        f'<control shapeId="1025" r:id="{control}" name="Liste"><controlPr defaultSize="0"><anchor moveWithCells="1"/></controlPr></control>'
        "</mc:Choice></mc:AlternateContent></controls>"
    )


def _outside(book: Grafted) -> None:
    """Another workbook, a query, a custom XML with its map."""
    link = book.add(
        "xl/externalLinks/externalLink1.xml",
        f'<externalLink xmlns="{MAIN}" xmlns:r="{OFFICE}"><externalBook r:id="rId1"><sheetNames><sheetName val="Abonnés"/></sheetNames>'
        '<sheetDataSet><sheetData sheetId="0"><row r="1"><cell r="A1" t="str"><v>Roy</v></cell></row></sheetData></sheetDataSet>'
        '</externalBook></externalLink>',
        f"{SPREADSHEET}.externalLink+xml", "xl/workbook.xml", f"{OFFICE}/externalLink",
    )  # fmt: skip
    book.relate("xl/externalLinks/externalLink1.xml", f"{OFFICE}/externalLinkPath", "Abonnés.xlsx", "External")
    book.in_workbook(
        f'<externalReferences><externalReference r:id="{link}"/></externalReferences>', before=("definedNames",)
    )
    book.add(
        "xl/connections.xml",
        f'<connections xmlns="{MAIN}"><connection id="1" name="Billets" type="4" refreshedVersion="8" background="1" saveData="1">'
        '<webPr url="https://example.org/billets.csv"/></connection></connections>',
        f"{SPREADSHEET}.connections+xml", "xl/workbook.xml", f"{OFFICE}/connections",
    )  # fmt: skip
    book.add(
        "xl/queryTables/queryTable1.xml",
        f'<queryTable xmlns="{MAIN}" name="Billets" connectionId="1" autoFormatId="16"/>',
        f"{SPREADSHEET}.queryTable+xml", SHEET, f"{OFFICE}/queryTable",
    )  # fmt: skip
    book.add("customXml/item1.xml", "<saison>2025-2026</saison>", "", "", f"{OFFICE}/customXml")
    book.add(
        "customXml/itemProps1.xml",
        f'<ds:datastoreItem xmlns:ds="http://schemas.openxmlformats.org/officeDocument/2006/customXml" ds:itemID="{MARIE}"/>',
        "application/vnd.openxmlformats-officedocument.customXmlProperties+xml", "customXml/item1.xml", f"{OFFICE}/customXmlProps",
    )  # fmt: skip
    book.add(
        "xl/xmlMaps.xml",
        f'<MapInfo xmlns="{MAIN}" SelectionNamespaces=""><Schema ID="Schema1"/><Map ID="1" Name="saison" RootElement="saison" SchemaID="Schema1" '
        'ShowImportExportValidationErrors="0" AutoFit="1" Append="0" PreserveSortAFLayout="1" PreserveFormat="1"/></MapInfo>',
        "", "xl/workbook.xml", f"{OFFICE}/xmlMaps",
    )  # fmt: skip
    book.add(
        "_xmlsignatures/origin.sigs", b"", "application/vnd.openxmlformats-package.digital-signature-origin", "",
        f"{PACKAGE}/relationships/digital-signature/origin",
    )  # fmt: skip


def _printing_and_views(book: Grafted) -> None:
    bin_type = f"{SPREADSHEET}.printerSettings"
    printer = book.add(
        "xl/printerSettings/printerSettings1.bin", bytes(range(220)), bin_type, SHEET, f"{OFFICE}/printerSettings"
    )
    own = book.add(
        "xl/customProperty1.bin", "Fiche".encode("utf-16-le"), f"{SPREADSHEET}.customProperty", SHEET, f"{OFFICE}/customProperty"
    )  # fmt: skip
    book.in_order(f'<pageSetup paperSize="9" orientation="landscape" r:id="{printer}"/>')
    book.in_order(f'<customProperties><customPr name="fiche" r:id="{own}"/></customProperties>')
    book.in_order('<cellWatches><cellWatch r="D2"/></cellWatches>')
    book.in_order('<colBreaks count="1" manualBreakCount="1"><brk id="6" max="1048575" man="1"/></colBreaks>')
    book.in_order(
        '<scenarios current="0"><scenario name="Optimiste" locked="1" count="1"><inputCells r="D2" val="9"/></scenario></scenarios>'
    )
    book.in_order(
        f'<customSheetViews><customSheetView guid="{ZOE}" scale="80" showAutoFilter="1"><pageMargins left="0.7" right="0.7" top="0.7" '
        'bottom="0.7" header="0.3" footer="0.3"/></customSheetView></customSheetViews>'
    )
    book.in_order('<phoneticPr fontId="1" type="Hiragana"/>')
    book.in_order('<dataConsolidate function="average"/>')


def _workbook(book: Grafted) -> None:
    book.in_workbook(
        '<workbookProtection workbookPassword="CC3D" lockStructure="1" lockWindows="1"/>',
        before=("bookViews", "sheets"),
    )
    book.in_workbook(
        f'<customWorkbookViews><customWorkbookView name="Caisse" guid="{ZOE}" windowWidth="900" windowHeight="600" activeSheetId="1"/>'
        '</customWorkbookViews>',
        before=("extLst",),
    )  # fmt: skip
    strings = etree.fromstring(book.parts["xl/sharedStrings.xml"])
    first = next(item for item in strings if item.findtext("{*}t") == "Personne 3")
    first.clear()
    guide = "<si><t>東京</t><rPh sb='0' eb='2'><t>トウキョウ</t></rPh><phoneticPr fontId='1'/></si>"
    first.extend(list(_piece(guide, strings)))
    book.parts["xl/sharedStrings.xml"] = etree.tostring(
        strings, xml_declaration=True, encoding="UTF-8", standalone=True
    )
