package live

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func get(t *testing.T, h http.Handler, method, address string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, address, nil))
	return w.Result()
}

// Ensure that every file of the page is served under a type that browsers take, under the policy, and kept by nobody; and that
// nothing else is served.
func TestPageServesItsFiles(t *testing.T) {
	page := Page()
	for name := range pageFiles() {
		address := "/assets/" + name
		if name == "index.html" {
			address = "/"
		}
		answer := get(t, page, "GET", address)
		require.Equal(t, http.StatusOK, answer.StatusCode, name)
		require.NotEmpty(t, types[path.Ext(name)], "%s has no type", name)
		require.Equal(t, types[path.Ext(name)], answer.Header.Get("Content-Type"))
		require.Equal(t, policy, answer.Header.Get("Content-Security-Policy"))
		require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
		require.Equal(t, "nosniff", answer.Header.Get("X-Content-Type-Options"))
	}
	for _, address := range []string{"/assets/", "/assets/none.js", "/assets/index.html", "/assets/..%2fpage.go", "/live.js", "/x"} {
		require.Equal(t, http.StatusNotFound, get(t, page, "GET", address).StatusCode, address)
	}
	require.Equal(t, http.StatusMethodNotAllowed, get(t, page, "POST", "/").StatusCode)
}

// Ensure that the page holds nothing that its policy forbids, and names no address but its own files'.
func TestPageKeepsItsOwnPolicy(t *testing.T) {
	files := pageFiles()
	html := files["index.html"]
	require.Empty(t, regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script(?:\s[^>]*)?>[^<]`).FindAllString(html, -1))
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		if m[1][0] == '#' {
			continue
		}
		require.Equal(t, "assets", path.Dir(m[1]))
		require.Contains(t, files, path.Base(m[1]))
	}
	own, err := os.ReadDir("assets")
	require.NoError(t, err)
	for _, e := range own {
		for _, m := range regexp.MustCompile(`https?://[^"'\s]+`).FindAllString(files[e.Name()], -1) {
			require.Equal(t, "http://www.w3.org/2000/svg", m, "%s names an address", e.Name())
		}
	}
}
