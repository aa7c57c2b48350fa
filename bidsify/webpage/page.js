"use strict";
// Tables can be sorted by the buttons in their headers and by an address that ends in #sort=NAME
// (-NAME downwards), and filtered by a text. Without scripts the page reads the same.
(() => {
  const tables = [...document.querySelectorAll("table.sortable")];

  const key = (row, column) => {
    const text = row.cells[column].textContent;
    return /^[-+]?[\d.]/.test(text) ? parseFloat(text) : text;
  };

  // Words come before numbers: what is missing or empty stands together, first.
  const compare = (a, b) => {
    if (typeof a !== typeof b) return typeof a === "string" ? -1 : 1;
    return a < b ? -1 : a > b ? 1 : 0;
  };

  const sort = (table, column, isDown) => {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row, place) => ({ row, place, key: key(row, column) }));
    const sign = isDown ? -1 : 1;
    rows.sort((a, b) => sign * compare(a.key, b.key) || a.place - b.place);
    body.append(...rows.map((each) => each.row));
    for (const head of table.tHead.rows[0].cells) head.removeAttribute("aria-sort");
    table.tHead.rows[0].cells[column].setAttribute("aria-sort", isDown ? "descending" : "ascending");
  };

  const byAddress = () => {
    const found = /^#sort=(-?)(.+)$/.exec(location.hash);
    if (!found) return;
    let name;
    try { name = decodeURIComponent(found[2]); } catch { return; }
    for (const table of [...tables].sort((a, b) => b.matches(".matrix") - a.matches(".matrix"))) {
      const heads = [...table.tHead.rows[0].cells];
      const column = heads.findIndex((head) => head.textContent === name);
      if (column < 0) continue;
      sort(table, column, found[1] === "-");
      table.scrollIntoView();
      return;
    }
  };

  for (const table of tables) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => {
        sort(table, column, head.getAttribute("aria-sort") === "ascending");
      });
      head.append(button);
    });
    if (table.tBodies[0].rows.length < 10) continue;
    const input = document.createElement("input");
    input.type = "search";
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase();
      for (const row of table.tBodies[0].rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
      }
    });
    const label = document.createElement("label");
    label.className = "filter";
    label.append("Only rows with the text ", input);
    table.parentElement.before(label);
  }
  addEventListener("hashchange", byAddress);
  byAddress();
})();
