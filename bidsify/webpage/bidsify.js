// What the scripts of a report share: its data, how to unpack them, words for labels, the address.
//
// Needs no network and no library. The viewer and the gallery tell each other of cases by two
// events of the document: "bidsify:show" asks the viewer for a case, and "bidsify:shown" says
// which case it shows. The address (#case=NAME&ijk=I,J,K) has indices of the file.
"use strict";

const bidsify = (() => {
  /** Cases, label tables and the key of the ratings, as panel.py wrote them. */
  const data = JSON.parse(document.getElementById("gallery-data").textContent);
  const cases = new Map(data.cases.map((each) => [each.name, each]));
  const part = (name) => document.getElementById(`viewer-${name}`);
  const clamp = (value, most) => Math.min(Math.max(value, 0), most);

  /** Return the bytes of a data block of the page (gzip in base64). */
  async function unpack(id) {
    const packed = atob(document.getElementById(id).textContent);
    const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  /** Return stored numbers: one byte or two for a voxel, all low ones first, i running fastest. */
  async function unpacked(packed) {
    const bytes = await unpack(packed.id);
    if (packed.bytes === 1) return bytes;
    const count = bytes.length / 2;
    return Uint16Array.from({ length: count }, (_, n) => bytes[n] | (bytes[n + count] << 8));
  }

  /** Return the value that a stored number stands for; NaN where the file has no number. */
  function valueOf(packed, stored) {
    if (stored === packed.void) return NaN;
    return packed.table ? packed.table[stored] : stored * packed.slope + packed.inter;
  }

  /** Return how the value of an image is written: rounded ones are "about". */
  function said(packed, value) {
    if (Number.isNaN(value)) return "not a number";
    return packed.exact ? String(value) : `about ${Number(value.toPrecision(5))}`;
  }

  const entryOf = (one, value) => data.tables[one.table]?.[value];

  /** Return the name of a label, and its colour as red, green and blue. */
  function label(one, value) {
    const [name, colour] = entryOf(one, value) ?? [`no name (${value})`, "#ff00ff"];
    const number = parseInt(colour.slice(1), 16);
    return { name, colour, rgb: [number >> 16, (number >> 8) & 255, number & 255] };
  }

  /** Return what is said of the label at a voxel. */
  function wording(one, value) {
    return `${value} ${entryOf(one, value)?.[0] ?? (value ? "no name" : "background")}`;
  }

  /** Write a case, a voxel of its file and the contrast into the address. */
  function address(one, ijk, image) {
    const stated = new URLSearchParams({ case: one.name, ijk: ijk.join(",") });
    if (image) stated.set("contrast", image.contrast);
    history.replaceState(null, "", `#${stated.toString().replaceAll("%2C", ",")}`);
  }

  /** Call `show(name, ijk, contrast)` for what the address, or the gallery, asks for. */
  function follow(show) {
    const panel = document.getElementById("viewer");
    const ask = () => {
      const asked = new URLSearchParams(location.hash.slice(1));
      const ijk = (asked.get("ijk") ?? "").split(",").map(Number);
      const valid = ijk.length === 3 && ijk.every(Number.isFinite);
      show(asked.get("case"), valid ? ijk : null, asked.get("contrast"));
      if (asked.has("case")) panel.scrollIntoView();
    };
    document.addEventListener("bidsify:show", (event) => show(event.detail));
    part("close").addEventListener("click", () => {
      panel.hidden = true;
      history.replaceState(null, "", "#gallery");
    });
    addEventListener("hashchange", ask);
    ask();
  }

  /** Tell the rest of the page something about a case, given by its name. */
  function tell(event, name) {
    document.dispatchEvent(new CustomEvent(`bidsify:${event}`, { detail: name }));
  }

  return {
    data, cases, part, clamp, unpack, unpacked, valueOf, said, label, wording, address, follow, tell,
  };
})();
