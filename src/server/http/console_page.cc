#include "server/http/console_page.h"

namespace omendb::server {
namespace {

constexpr std::string_view kPage = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>OmenDB</title>
<style>
body { font: 15px/1.4 sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; }
textarea { width: 100%; height: 8em; font: 14px monospace; box-sizing: border-box; }
table { border-collapse: collapse; margin-top: 1em; }
th, td { border: 1px solid #bbb; padding: 2px 8px; text-align: left; font: 13px monospace; }
th { background: #eee; } td.null { color: #999; }
.row { display: flex; gap: 1em; margin: .5em 0; align-items: center; }
#message { white-space: pre-wrap; font: 13px monospace; } .error { color: #b00; }
</style>
</head>
<body>
<h1>OmenDB</h1>
<p>Each run is one request to <code>POST /query</code> and one session: SET and temporary tables
end with it. <a href="/metrics">/metrics</a> <a href="/health">/health</a>
<a href="/ready">/ready</a></p>
<textarea id="sql" autofocus>SELECT version();</textarea>
<div class="row">
<label>database <input id="database" value="omendb"></label>
<label>user <input id="user" value="omendb"></label>
<label>password <input id="password" type="password"></label>
<button id="run">Run (Ctrl+Enter)</button>
</div>
<div id="message"></div>
<table id="result"></table>
<script>
const get = id => document.getElementById(id);
function cell(tag, value) {
  const e = document.createElement(tag);
  e.textContent = value === null ? 'NULL' :
      typeof value === 'object' ? JSON.stringify(value) : String(value);
  if (value === null) e.className = 'null';
  return e;
}
function line(tag, values) {
  const tr = document.createElement('tr');
  for (const value of values) tr.append(cell(tag, value));
  return tr;
}
async function run() {
  const message = get('message'), table = get('result');
  message.className = ''; message.textContent = '...'; table.replaceChildren();
  const bytes = new TextEncoder().encode(get('user').value + ':' + get('password').value);
  const started = performance.now();
  try {
    const response = await fetch('/query', {method: 'POST', headers: {
      'Content-Type': 'application/json',
      'Authorization': 'Basic ' + btoa(String.fromCharCode(...bytes))},
      body: JSON.stringify({sql: get('sql').value, database: get('database').value})});
    const answer = await response.json();
    if (answer.error) {
      message.className = 'error';
      message.textContent = ['ERROR ' + answer.error.sqlstate + ': ' + answer.error.message,
        answer.error.detail, answer.error.hint].filter(Boolean).join('\n');
      return;
    }
    const ms = (performance.now() - started).toFixed(1);
    message.textContent = (answer.notices || []).concat(answer.command + ' (' + ms + ' ms)')
        .join('\n');
    if (answer.columns.length) table.append(line('th', answer.columns.map(c => c.name)));
    for (const row of answer.rows) table.append(line('td', row));
  } catch (error) {
    message.className = 'error'; message.textContent = String(error);
  }
}
get('run').onclick = run;
get('sql').onkeydown = e => { if (e.key === 'Enter' && e.ctrlKey) run(); };
</script>
</body>
</html>
)html";

}  // namespace

std::string_view ConsolePage() { return kPage; }

}  // namespace omendb::server
