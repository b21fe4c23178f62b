/* The page around the charts of a Stormglass report. Everything that decides stands in the HTML;
   this marks the section that is read, unfolds what a link leads to, copies commands, and unfolds
   everything for paper. timeline.js comes after it. */
const stormglass = (() => {
  "use strict";
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const root = document.documentElement;

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  // Marks the section that is read in the table of contents: the last whose top has passed a third.
  function followSections() {
    const links = $$(".toc a");
    const targets = links.map((link) => document.getElementById(link.hash.slice(1)));
    let due = false;
    const mark = () => {
      due = false;
      const third = innerHeight / 3;
      const atEnd = innerHeight + scrollY >= root.scrollHeight - 2;
      let current = 0;
      targets.forEach((target, i) => {
        if (target && (atEnd || target.getBoundingClientRect().top <= third)) current = i;
      });
      links.forEach((link, i) => {
        if (i === current) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      });
    };
    const ask = () => {
      if (!due) requestAnimationFrame(mark);
      due = true;
    };
    addEventListener("scroll", ask, { passive: true });
    addEventListener("resize", ask);
    mark();
  }

  // A link to something that is folded away unfolds it.
  function unfoldTarget() {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target) return;
    let folded = false;
    for (let at = target; at; at = at.parentElement) {
      if (at.localName === "details" && !at.open) folded = at.open = true;
    }
    const telling = $(":scope > details.telling", target);
    if (telling && !telling.open) folded = telling.open = true;
    if (folded) target.scrollIntoView();
  }

  function addCopyButtons() {
    for (const box of $$(".copyable")) {
      const button = element("button", { class: "copy", type: "button" }, "Copy");
      const said = element("span", { class: "sr", role: "status" });
      button.addEventListener("click", async () => {
        let done = true;
        const text = $("pre", box).textContent.trimEnd();
        try {
          await navigator.clipboard.writeText(text);
        } catch {
          // A page from a mail may have no clipboard: select the text, so that Ctrl+C copies it.
          getSelection().selectAllChildren($("pre", box));
          done = document.execCommand("copy");
        }
        button.textContent = done ? "Copied" : "Selected";
        said.textContent = button.textContent;
        setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2000);
      });
      box.append(button, said);
    }
  }

  // A region that has nothing to scroll is no stop for the Tab key.
  function watchOverflow() {
    const judge = (box) => {
      const wide = box.scrollWidth > box.clientWidth + 1;
      const high = box.scrollHeight > box.clientHeight + 1;
      if (wide || high) box.setAttribute("tabindex", "0");
      else box.removeAttribute("tabindex");
    };
    const observer = new ResizeObserver((entries) => entries.forEach((e) => judge(e.target)));
    $$(".wide, pre[tabindex]").forEach((box) => observer.observe(box));
  }

  // Paper has nothing to unfold. Charts look at data-print, so this listener has to come first.
  function unfoldForPaper() {
    let opened = [];
    addEventListener("beforeprint", () => {
      root.dataset.print = "";
      opened = $$("details:not([open]):not(.stay-folded)");
      opened.forEach((fold) => { fold.open = true; });
    });
    addEventListener("afterprint", () => {
      delete root.dataset.print;
      opened.forEach((fold) => { fold.open = false; });
    });
  }

  followSections();
  addEventListener("hashchange", unfoldTarget);
  unfoldTarget();
  addCopyButtons();
  watchOverflow();
  unfoldForPaper();
  return { $, $$, element };
})();
