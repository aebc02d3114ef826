package report

import (
	"bytes"
	"embed"
	"html/template"
	"strings"

	"lambdakappa/internal/web"
)

//go:embed assets
var assets embed.FS

// assetSet is what goes into the page as it is. Tests leave it out of the golden files.
type assetSet struct {
	Style  template.CSS
	Script template.JS
}

// embeddedAssets joins what the project's pages share (go doc ./internal/web) with the page's own style and script, so that the
// page needs no network.
func embeddedAssets() assetSet {
	read := func(name string) string {
		b, err := assets.ReadFile("assets/" + name)
		if err != nil {
			panic(err) // embedded: it is there or the program does not build
		}
		return string(b)
	}
	return assetSet{
		Style:  template.CSS(web.PlotStyle + web.Colours + read("page.css") + plotStyle),
		Script: template.JS(web.PlotScript + read("page.js") + read("numbers.js")),
	}
}

var pageTemplate = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"svg":      func(p *plot) template.HTML { return template.HTML(p.svg("")) },
	"lines":    linesForScript,
	"diagrams": diagrams,
}).ParseFS(assets, "assets/page.html"))

// linesForScript is what page.js draws with uPlot; nil for bars, which stay SVG.
func linesForScript(p *plot) any {
	if len(p.Lines) == 0 {
		return nil
	}
	type jsLine struct {
		Name   string       `json:"name"`
		Hue    int          `json:"hue"`
		Points [][2]float64 `json:"points"`
		Style  style        `json:"style,omitempty"`
	}
	type jsBand struct {
		Name string  `json:"name"`
		From float64 `json:"from"`
		To   float64 `json:"to"`
	}
	data := struct {
		X      string   `json:"x"`
		XUnit  string   `json:"xUnit,omitempty"`
		Sweep  bool     `json:"sweep,omitempty"`
		Y      string   `json:"y"`
		Log    bool     `json:"log"`
		XTicks []tick   `json:"xTicks"`
		Lines  []jsLine `json:"lines"`
		Bands  []jsBand `json:"bands"`
	}{X: p.X.Name, XUnit: p.X.Unit, Sweep: strings.Contains(p.ID, "-crossover-"), Y: p.Y.Name, Log: p.Y.Log, XTicks: p.X.Ticks}
	for _, l := range p.Lines {
		data.Lines = append(data.Lines, jsLine{l.Name, l.Hue, p.drawable(l), l.Style})
	}
	for _, b := range p.Bands {
		data.Bands = append(data.Bands, jsBand(b))
	}
	return data
}

func renderHTML(p *page, a assetSet) ([]byte, error) {
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, struct {
		*page
		Assets assetSet
	}{p, a})
	return bytes.Map(printable, b.Bytes()), err
}
