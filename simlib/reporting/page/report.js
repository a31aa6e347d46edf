"use strict";
// What needs a script is shown only where there is one.
document.querySelectorAll("[data-script]").forEach((part) => { part.hidden = false; });

// One map, one distribution at a time, by native lists.
document.querySelectorAll("select[data-chooses]").forEach((list) => {
  const parts = Array.from(document.getElementById(list.dataset.chooses).children);
  const choose = () => parts.forEach((part) => { part.hidden = part.id !== list.value; });
  list.addEventListener("change", choose);
  choose();
});

const valueOf = (cell) => (cell.dataset.v === undefined ? cell.textContent : cell.dataset.v);

function compare(column, sign) {
  return (one, other) => {
    const a = one.cells[column], b = other.cells[column];
    if (a.dataset.v === undefined) {
      return sign * a.textContent.localeCompare(b.textContent);
    }
    // What is empty comes last, either way.
    const x = a.dataset.v, y = b.dataset.v;
    if (x === "" || y === "") { return (x === "") - (y === ""); }
    const p = x === "inf" ? Infinity : Number(x), q = y === "inf" ? Infinity : Number(y);
    return p === q ? 0 : sign * (p < q ? -1 : 1);
  };
}

function field(cell) {
  let text = valueOf(cell);
  // A spreadsheet would take such a text as a formula.
  if (cell.dataset.v === undefined && /^[=+\-@\t]/.test(text)) { text = `'${text}`; }
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// A table: sorted by a column's head, filtered by words, downloaded as it is shown.
document.querySelectorAll(".data").forEach((part) => {
  const table = part.querySelector("table"), body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  const whole = Array.from(body.rows);
  const filter = part.querySelector("input"), shown = part.querySelector("[role=status]");
  const download = part.querySelector("button");

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.dataset.head;
    head.replaceChildren(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const isUp = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((each) => each.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
      Array.from(body.rows).sort(compare(column, isUp ? 1 : -1)).forEach((row) => body.append(row));
    });
  });

  function narrow() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    whole.forEach((row) => {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      n += row.hidden ? 0 : 1;
    });
    shown.textContent = `${n} of ${whole.length} rows`;
  }
  filter.addEventListener("input", narrow);
  narrow();

  // A row that a link leads to is shown, whatever the filter says.
  window.addEventListener("hashchange", () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target && target.hidden && table.contains(target)) { filter.value = ""; narrow(); target.scrollIntoView(); }
  });

  download.addEventListener("click", () => {
    const rows = Array.from(body.rows).filter((row) => !row.hidden);
    const lines = [heads.map((head) => head.dataset.head), ...rows.map((row) => Array.from(row.cells, field))];
    const text = lines.map((line) => line.join(",")).join("\r\n") + "\r\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = `${download.dataset.name.replace(/\.csv$/, "").replace(/[^A-Za-z0-9]+/g, "_")}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
});
