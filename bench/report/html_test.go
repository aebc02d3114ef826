package report

import (
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireXML reads the text to its end with the strict parser: every element is closed, every
// attribute quoted. The page is written so that it is XML too.
func requireXML(t *testing.T, text string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	decoder.Entity = xml.HTMLEntity
	for {
		_, err := decoder.Token()
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
	}
}

func renderedPage(t *testing.T, name string, a assetSet) string {
	t.Helper()
	html, err := renderHTML(newPage(fixture(t, name), nil), a)
	require.NoError(t, err)
	return string(html)
}

// Ensure that the page is balanced, also when names in it are hostile.
func TestPageIsBalanced(t *testing.T) {
	for _, name := range fixtures {
		t.Run(name, func(t *testing.T) { requireXML(t, renderedPage(t, name, assetSet{})) })
	}
}

// loads is everything by which a page can ask the network for something.
var loads = regexp.MustCompile(`(?i)(<link|<iframe|<img|<object|<embed|<base|\bsrc\s*=|@import|url\(|\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|\bimport\()`)

// Ensure that the page, uPlot and all, needs no network and links to nothing outside itself.
func TestPageAsksForNothing(t *testing.T) {
	for _, name := range fixtures {
		html := renderedPage(t, name, embeddedAssets())
		if name == "hostile" { // its texts hold such words, escaped: they stand between tags only
			html = renderedPage(t, "right", embeddedAssets())
		}
		require.Empty(t, loads.FindAllString(html, -1), name)
		for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(html, -1) {
			require.True(t, strings.HasPrefix(m[1], "#"), "link to %s", m[1])
		}
	}
}

// Ensure that hostile strings are text: the only elements are those that the template has.
func TestHostileStringsAreText(t *testing.T) {
	html := renderedPage(t, "hostile", assetSet{})
	decoder := xml.NewDecoder(strings.NewReader(html))
	decoder.Entity = xml.HTMLEntity
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		start, isStart := token.(xml.StartElement)
		if !isStart {
			continue
		}
		require.NotEqual(t, "img", start.Name.Local)
		for _, a := range start.Attr {
			require.False(t, strings.HasPrefix(a.Name.Local, "on"), "%s has %s", start.Name.Local, a.Name.Local)
		}
	}
	p := newPage(fixture(t, "hostile"), nil)
	markdown := string(renderMarkdown(p))
	for _, acts := range []string{"<script", "[x](javascript", "x](javascript", "\x1b"} {
		require.False(t, strings.Contains(outsideCode(markdown), acts), "%q in Markdown", acts)
	}
	for _, plot := range p.plots() {
		requireXML(t, string(plot.svgFile()))
	}
}

// outsideCode drops the indented lines of Markdown: nothing in them acts.
func outsideCode(markdown string) string {
	return regexp.MustCompile(`(?m)^    .*$`).ReplaceAllString(markdown, "")
}

// Ensure that every plot has its values as a table behind it.
func TestPlotsHaveTables(t *testing.T) {
	for _, p := range newPage(fixture(t, "right"), nil).plots() {
		require.NotEmpty(t, p.Data.Rows, p.ID)
		for _, row := range p.Data.Rows {
			require.Len(t, row, len(p.Data.Head), p.ID)
		}
	}
}

// Ensure that every row of every table fits its head.
func TestTablesAreRectangles(t *testing.T) {
	for _, name := range fixtures {
		p := newPage(fixture(t, name), nil)
		tables := []table{p.Verdicts, p.Ledger, p.Reproduce}
		for _, s := range p.Sections {
			tables = append(tables, s.Tables...)
		}
		for _, table := range tables {
			for _, row := range table.Rows {
				require.Len(t, row, len(table.Head), "%s: %s", name, table.Caption)
			}
		}
	}
}
