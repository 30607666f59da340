// Sends the panel's forms to the sandbox's plane as JSON, which a foreign page cannot do; then shows the page as it then is.
for (const form of document.querySelectorAll("form[data-to]")) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = {};
    let to = form.dataset.to;
    for (const field of form.elements) {
      if (!field.name || field.value === "") continue;
      if (to.includes(`{${field.name}}`)) to = to.replace(`{${field.name}}`, encodeURIComponent(field.value));
      else body[field.name] = field.type === "number" ? Number(field.value) : field.type === "checkbox" ? field.checked : field.value;
    }
    const method = form.dataset.method || "POST";
    const headers = { "content-type": "application/json" };
    const answer = await fetch(to, { method, headers, body: method === "DELETE" ? undefined : JSON.stringify(body) });
    if (answer.ok) return location.reload();
    const said = form.querySelector("[role=alert]");
    said.textContent = (await answer.json()).message;
  });
}
