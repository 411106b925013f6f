"""The style sheet of all pages: light and dark, without external fonts or scripts."""

# Prompts are blue and continuations orange, which colour-blind readers can tell apart. Pictures keep a white ground in
# the dark scheme, because their axes are drawn in black. Names of files may be long, so they wrap anywhere.
STYLE = """
:root { color-scheme: light dark; --paper: #faf9f6; --ink: #23262d; --quiet: #5e6470; --card: #ffffff;
  --line: #dcdad3; --prompt: #2f6f9f; --continuation: #a8501f; }
@media (prefers-color-scheme: dark) { :root { --paper: #15171c; --ink: #e6e4de; --quiet: #a0a5b0;
  --card: #1e2128; --line: #363a44; --prompt: #7db8e4; --continuation: #eda06e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 2.5rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { margin: 0 0 .5rem; font-size: 2rem; line-height: 1.2; }
h2 { margin: 0 0 1rem; font-size: 1.25rem; overflow-wrap: anywhere; }
.summary { max-width: 46rem; color: var(--quiet); margin: 0 0 2rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem;
  margin: 0 0 1.5rem; }
figure { margin: 0 0 1.25rem; padding-left: .9rem; border-left: .25rem solid var(--line); }
figure:last-child { margin-bottom: 0; }
figure.prompt { border-color: var(--prompt); }
figure.continuation { border-color: var(--continuation); }
figcaption { font-weight: 600; margin-bottom: .4rem; }
.prompt figcaption { color: var(--prompt); }
.continuation figcaption { color: var(--continuation); }
img { display: block; max-width: 100%; height: auto; border-radius: .35rem; background: #fff; }
figure img { width: 100%; }
audio { display: block; width: 100%; margin-top: .6rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .45rem .75rem .45rem 0; border-top: 1px solid var(--line);
  overflow-wrap: anywhere; }
tr:first-child > * { border-top: 0; }
th { font-weight: 600; width: 35%; color: var(--quiet); }
"""
