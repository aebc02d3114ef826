package live

import (
	"embed"
	"fmt"
	"net/http"
	"path"

	"lambdakappa/internal/web"
)

//go:embed assets
var assets embed.FS

// policy lets the page load what this server serves and nothing else, and run only scripts that are files.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// types are written down here: what a system says about them differs, and a browser runs no module that is no script.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// Page serves the page at GET / and what it loads at GET /assets/NAME. Nothing of it is kept by a browser, so a page is never
// of another program than the one that serves it.
func Page() http.Handler {
	files := pageFiles()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { serveFile(w, "index.html", files["index.html"]) })
	mux.HandleFunc("GET /assets/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		text, ok := files[name]
		if !ok || name == "index.html" {
			http.Error(w, fmt.Sprintf("the page has no file %q", name), http.StatusNotFound)
			return
		}
		serveFile(w, name, text)
	})
	return mux
}

// pageFiles are the page's own files and those that it shares with the report, by name.
func pageFiles() map[string]string {
	files := map[string]string{
		"uPlot.iife.min.js": web.PlotScript,
		"uPlot.min.css":     web.PlotStyle,
		"colours.css":       web.Colours,
	}
	entries, err := assets.ReadDir("assets")
	for _, e := range entries {
		var text []byte
		text, err = assets.ReadFile("assets/" + e.Name())
		if err != nil {
			break
		}
		files[e.Name()] = string(text)
	}
	if err != nil {
		panic(err) // embedded: it is there or the program does not build
	}
	return files
}

func serveFile(w http.ResponseWriter, name, text string) {
	h := w.Header()
	h.Set("Content-Type", types[path.Ext(name)])
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(text)) // a browser that has gone wants nothing
}
