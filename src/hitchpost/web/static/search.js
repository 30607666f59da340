// Filters the choose page while typing, selects all that is shown, counts. Without it the page works by its forms alone.
(() => {
  "use strict";
  const list = document.getElementById("candidates");
  if (!list) return;
  const rows = [...list.querySelectorAll("li[data-text]")];
  const groups = [...list.querySelectorAll(".group")];
  const boxes = [...list.querySelectorAll("input[name=pick]")];
  const search = document.querySelector("input[data-filter]");
  const all = list.querySelector("input[data-select-all]");
  const none = list.querySelector("[data-no-match]");
  const count = document.querySelector("[data-count]");
  const fold = (text) => text.normalize("NFKD").toLocaleLowerCase();
  const texts = new Map(rows.map((row) => [row, fold(row.dataset.text)]));
  const shown = () => boxes.filter((box) => !box.closest("li").hidden);

  const tally = () => {
    const picked = boxes.filter((box) => box.checked).length;
    count.textContent = picked ? `${picked} selected` : "Nothing selected";
    if (all) {
      const visible = shown();
      const ticked = visible.filter((box) => box.checked).length;
      all.checked = visible.length > 0 && ticked === visible.length;
      all.indeterminate = ticked > 0 && ticked < visible.length;
    }
  };

  const filter = () => {
    const words = fold(search.value).split(/\s+/);
    for (const row of rows) row.hidden = !words.every((word) => texts.get(row).includes(word));
    for (const group of groups) group.hidden = !group.querySelector("li[data-text]:not([hidden])");
    none.hidden = rows.some((row) => !row.hidden);
    tally();
  };

  if (search && !document.querySelector("[data-served-filter]")) {
    search.addEventListener("input", filter);
    search.form.addEventListener("submit", (event) => event.preventDefault());
    search.form.querySelector("button").hidden = true;
    if (search.value) filter();
  }
  if (all && boxes.length > 1) {
    all.closest("[hidden]").hidden = false;
    all.addEventListener("change", () => {
      for (const box of shown()) box.checked = all.checked;
      tally();
    });
  }
  list.addEventListener("change", tally);
  tally();
})();
