// Three linked planes of a case, drawn on canvases: which case is shown, and what is at the cross.
"use strict";

bidsify.viewer = (() => {
  const { cases, geometry, drawing, part, label } = bidsify;
  const panel = document.getElementById("viewer");
  const canvases = [...panel.querySelectorAll("canvas")];
  const hidden = new Set(); // labels that are switched off, as "table:value"
  // {case, image, labels, voxels, at: [i, j, k] on the grid}; labels and voxels are stored numbers.
  let shown = null;
  let latest = 0; // counts requests, so that a slow one does not replace a later one

  async function show(name, ijk = null, contrast = null) {
    const one = cases.get(name);
    if (!one) return;
    const mine = ++latest;
    panel.hidden = false;
    panel.dataset.state = "loading";
    part("case").textContent = one.name;
    try {
      const next = await load(one, contrast ?? shown?.image?.contrast);
      if (mine !== latest) return; // somebody asked for another one meanwhile
      shown = next;
      shown.at = ijk ? geometry.onGrid(one, ijk) : [...one.start];
      listChoices();
      for (const canvas of canvases) drawing.layOut(canvas, one);
      draw();
      panel.dataset.state = "ready";
    } catch (error) {
      if (mine !== latest) return;
      part("note").textContent = `This case cannot be shown: ${error.message}`;
      panel.dataset.state = "failed";
    }
    bidsify.tell("shown", name);
  }

  async function load(one, contrast) {
    if (!one.shape) throw new Error(one.note);
    const image = one.images.find((each) => each.contrast === contrast) ?? one.images[0] ?? null;
    const [voxels, labels] = await Promise.all(
      [image, one.labels].map((packed) => packed && bidsify.unpacked(packed)),
    );
    return { case: one, image, voxels, labels, at: null };
  }

  const switchOf = (value) => `${shown.case.table}:${value}`;

  /** Return red, green and blue of the labels that are switched on, by stored number. */
  function paints() {
    const { present, labels } = shown.case;
    const places = new Map(labels?.table?.map((value, place) => [value, place]));
    const stored = (value) => places.get(value) ?? (value - labels.inter) / labels.slope;
    const on = present.filter((value) => !hidden.has(switchOf(value)));
    return new Map(on.map((value) => [stored(value), label(shown.case, value).rgb]));
  }

  function draw() {
    const settings = {
      paints: paints(),
      low: Number(part("low").value),
      high: Number(part("high").value),
      opacity: Number(part("opacity").value) / 100,
      outlined: part("outline").checked,
    };
    for (const canvas of canvases) drawing.draw(canvas, shown, settings);
    readOut();
  }

  /** Write where the crosshair is, and what is there, below the planes and into the address. */
  function readOut() {
    const { case: one, image, voxels, labels, at } = shown;
    const ijk = geometry.inFile(one, at);
    const n = geometry.offset(one, at);
    const millimetres = geometry.mapped(one.affine, ijk);
    part("ijk").textContent = ijk.join(", ");
    part("mm").textContent = millimetres.map((each) => each.toFixed(1)).join(", ");
    part("value").textContent = voxels
      ? bidsify.said(image, bidsify.valueOf(image, voxels[n]))
      : "no image";
    part("label").textContent = labels
      ? bidsify.wording(one, bidsify.valueOf(one.labels, labels[n]))
      : "no segmentation";
    part("note").textContent = one.note;
    bidsify.address(one, ijk, image);
  }

  // Choices: contrast, window, labels.

  function option(contrast) {
    const found = new Option(contrast, contrast);
    found.selected = contrast === shown.image?.contrast;
    return found;
  }

  function listChoices() {
    part("contrast").replaceChildren(...shown.case.images.map((each) => option(each.contrast)));
    if (shown.image) {
      part("low").value = shown.image.window[0];
      part("high").value = shown.image.window[1];
    }
    part("labels").replaceChildren(...shown.case.present.map(labelSwitch));
  }

  function labelSwitch(value) {
    const { name, colour } = label(shown.case, value);
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = !hidden.has(switchOf(value));
    box.dataset.label = value;
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.backgroundColor = colour;
    const line = document.createElement("label");
    line.append(box, swatch, `${value} ${name}`);
    return line;
  }

  part("labels").addEventListener("change", (event) => {
    const key = switchOf(event.target.dataset.label);
    if (event.target.checked) hidden.delete(key);
    else hidden.add(key);
    draw();
  });
  part("contrast").addEventListener("change", (event) => {
    show(shown.case.name, geometry.inFile(shown.case, shown.at), event.target.value);
  });
  for (const name of ["opacity", "outline", "low", "high"]) {
    part(name).addEventListener("input", () => shown && draw());
  }
  bidsify.follow(show);

  return {
    isReady: () => panel.dataset.state === "ready",
    /** Return how the plane of a canvas is cut from the case that is shown. */
    cut: (canvas) => geometry.cut(shown.case, canvas.dataset.plane),
    /** Return where the crosshair is along a side of a plane. */
    index: (side) => shown.at[side.axis],
    /** Move the crosshair: pairs of a side and an index, which is kept within the grid. */
    move(...pairs) {
      for (const [side, index] of pairs) shown.at[side.axis] = bidsify.clamp(index, side.size - 1);
      draw();
    },
  };
})();
