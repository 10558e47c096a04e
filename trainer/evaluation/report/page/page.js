"use strict";
(() => {
  const list = document.getElementById("list");
  const cases = [...list.children];
  const byNumber = [...cases].sort((a, b) => a.dataset.n - b.dataset.n);
  const search = document.getElementById("search");
  const order = document.getElementById("order");
  const all = document.getElementById("all");
  const said = document.getElementById("said");
  const words = new Map();
  const wordsOf = (one) => {
    if (!words.has(one)) words.set(one, one.textContent.toLowerCase());
    return words.get(one);
  };
  const shown = () => cases.filter((one) => one.getClientRects().length > 0);
  const tell = () => { said.textContent = said.dataset.text.replace("%", shown().length); };
  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const wanted = search.value.trim().toLowerCase();
      for (const one of cases) one.hidden = wanted !== "" && !wordsOf(one).includes(wanted);
      tell();
    }, 150);
  });
  order.addEventListener("change", () => {
    const after = list.nextSibling;
    const parent = list.parentNode;
    list.remove(); // ten thousand moves are laid out once
    list.replaceChildren(...(order.value === "file" ? byNumber : cases));
    parent.insertBefore(list, after);
  });
  document.querySelector("fieldset").addEventListener("change", () => tell());
  all.addEventListener("click", () => {
    const those = shown();
    const open = !those.every((one) => one.open);
    for (const one of those) one.open = open;
  });
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = cases.filter((one) => !one.open);
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
  for (const one of document.querySelectorAll(".js")) one.hidden = false;
})();
