/* Sorts and filters the longer tables. The page is whole without it. */
"use strict";

(() => {
  const keyOf = (cell) => {
    const data = cell.querySelector("data[value], time[datetime]");
    if (!data) {
      return cell.textContent.trim();
    }
    return data.tagName === "TIME" ? data.dateTime : Number(data.value);
  };

  /* A share sorts by how many of them failed, not by the first number in its cell. */
  const shareOf = (cell) => {
    const share = cell.querySelector("data[data-ref$='/share']");
    return share ? Number(share.value) : keyOf(cell);
  };

  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") {
      return a - b;
    }
    return String(a).localeCompare(String(b));
  };

  const sort = (table, column, head) => {
    const body = table.tBodies[0];
    const falling = head.getAttribute("aria-sort") === "ascending";
    const rows = Array.from(body.rows, (row, index) => ({ row, index, key: shareOf(row.cells[column]) }));

    rows.sort((a, b) => (falling ? -1 : 1) * compare(a.key, b.key) || a.index - b.index);
    for (const other of table.tHead.rows[0].cells) {
      other.removeAttribute("aria-sort");
    }
    head.setAttribute("aria-sort", falling ? "descending" : "ascending");
    body.append(...rows.map((each) => each.row));
  };

  const makeSortable = (table) => {
    Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(table, column, head));
      head.append(button);
    });
  };

  const makeFilter = (table) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    const told = document.createElement("span");
    const rows = Array.from(table.tBodies[0].rows);

    label.className = "filter";
    input.type = "search";
    told.setAttribute("role", "status");
    label.append(table.dataset.filter, " ", input, " ", told);
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
        shown += row.hidden ? 0 : 1;
      }
      told.textContent = table.dataset.shown.replace("{shown}", shown).replace("{all}", rows.length);
    });
    table.parentElement.before(label);
  };

  /* What is closed on the screen is open on paper. */
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = Array.from(document.querySelectorAll("details:not([open])"));
    opened.forEach((each) => { each.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((each) => { each.open = false; }));

  for (const table of document.querySelectorAll("table[data-filter]")) {
    if (table.tBodies[0].rows.length > 1) {
      makeSortable(table);
    }
    if (table.tBodies[0].rows.length > 5) {
      makeFilter(table);
    }
  }
})();
