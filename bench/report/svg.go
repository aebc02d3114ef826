package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html"
	"strings"
)

// plotStyle colours a plot in the page and in a file of its own, light and dark.
//
//go:embed assets/plot.css
var plotStyle string

// Pixels of a drawing. Text is 12 px where the drawing is shown at its own width.
const (
	plotWidth  = 720.0
	plotHeight = 300.0
	left       = 64.0
	edge       = 16.0
	bottom     = 44.0
	barRow     = 44.0
	barLabel   = 18.0
)

// svgFile is a drawing that stands alone.
func (p *plot) svgFile() []byte {
	return []byte(p.svg("<style>" + plotStyle + "</style>"))
}

// svg draws the plot; style goes inside, empty when the page has it.
func (p *plot) svg(style string) string {
	var b bytes.Buffer
	legend, rows := p.svgLegend()
	top := 12 + float64(rows)*18
	body, height := p.svgLines(top), top+plotHeight
	if len(p.Bars) > 0 {
		body, height = p.svgBars(top), top+barRow*float64(len(p.Bars))+edge
	}
	fmt.Fprintf(&b, `<svg class="plot" xmlns="http://www.w3.org/2000/svg" role="img" `+
		`viewBox="0 0 %.0f %.0f" aria-label="%s">`, plotWidth, height, esc(p.Title+". "+p.About))
	b.WriteString(style)
	fmt.Fprintf(&b, `<rect class="ground" width="%.0f" height="%.0f"/>`, plotWidth, height)
	b.WriteString(legend)
	b.WriteString(body)
	b.WriteString("</svg>\n")
	return b.String()
}

// svgLegend returns the legend and how many rows it takes.
func (p *plot) svgLegend() (string, int) {
	var b strings.Builder
	x, row := edge, 0
	for _, l := range p.legend() {
		width := 34 + 6.7*float64(len([]rune(l.Name)))
		if x > edge && x+width > plotWidth {
			x, row = edge, row+1
		}
		y := 14 + float64(row)*18
		l.svgKey(&b, x, y-9)
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f">%s</text>`, x+19, y, esc(l.Name))
		x += width
	}
	return b.String(), row + 1
}

// svgKey draws in a legend how a line looks.
func (l *line) svgKey(b *strings.Builder, x, y float64) {
	switch l.Style {
	case dots:
		fmt.Fprintf(b, `<circle class="f%d" cx="%.1f" cy="%.1f" r="4"/>`, l.Hue, x+7, y+5)
	case dashed:
		fmt.Fprintf(b, `<path class="l%d" stroke-dasharray="3 4" d="M%.1f %.1fh14"/>`, l.Hue, x, y+5)
	default:
		fmt.Fprintf(b, `<rect class="f%d" x="%.1f" y="%.1f" width="14" height="10" rx="2"/>`, l.Hue, x, y)
	}
}

func (p *plot) svgLines(top float64) string {
	var xs, ys []float64
	for _, l := range p.Lines {
		for _, pt := range p.drawable(l) {
			xs, ys = append(xs, pt[0]), append(ys, pt[1])
		}
	}
	floor := top + plotHeight - bottom
	sx := newScale(p.X, xs, left, plotWidth-edge)
	sy := newScale(p.Y, ys, floor, top+4)
	var b strings.Builder
	p.svgBands(&b, sx, top, floor)
	svgAxes(&b, p, sx, sy, top, floor)
	for _, l := range p.Lines {
		if l.Style == dots {
			for _, pt := range p.drawable(l) {
				fmt.Fprintf(&b, `<circle class="f%d" cx="%.1f" cy="%.1f" r="3"/>`, l.Hue, sx.pixel(pt[0]), sy.pixel(pt[1]))
			}
			continue
		}
		extra := ""
		if l.Style == dashed {
			extra = ` stroke-dasharray="3 4"`
		}
		var path strings.Builder
		for i, pt := range p.drawable(l) {
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], sx.pixel(pt[0]), sy.pixel(pt[1]))
		}
		fmt.Fprintf(&b, `<path class="l%d"%s d="%s"><title>%s</title></path>`, l.Hue, extra, path.String(), esc(l.Name))
	}
	return b.String()
}

// drawable leaves out what a logarithmic axis cannot show.
func (p *plot) drawable(l line) [][2]float64 {
	var points [][2]float64
	for _, pt := range l.Points {
		if !p.Y.Log || pt[1] > 0 {
			points = append(points, pt)
		}
	}
	return points
}

func (p *plot) svgBands(b *strings.Builder, sx scale, top, floor float64) {
	for _, band := range p.Bands {
		from := max(sx.pixel(band.From), left)
		to := min(max(sx.pixel(band.To), from+1.5), plotWidth-edge)
		if from >= to {
			continue
		}
		fmt.Fprintf(b, `<rect class="band" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%s</title></rect>`,
			from, top, to-from, floor-top, esc(band.Name))
	}
}

func svgAxes(b *strings.Builder, p *plot, sx, sy scale, top, floor float64) {
	for _, t := range sx.ticksForText {
		x := sx.pixel(t.At)
		fmt.Fprintf(b, `<path class="grid" d="M%.1f %.1fV%.1f"/>`, x, top, floor)
		fmt.Fprintf(b, `<text class="mid" x="%.1f" y="%.1f">%s</text>`, x, floor+16, esc(t.Text))
	}
	for _, t := range sy.ticksForText {
		y := sy.pixel(t.At)
		fmt.Fprintf(b, `<path class="grid" d="M%.1f %.1fH%.1f"/>`, left, y, plotWidth-edge)
		fmt.Fprintf(b, `<text class="end" x="%.1f" y="%.1f">%s</text>`, left-6, y+4, esc(t.Text))
	}
	fmt.Fprintf(b, `<text class="mid" x="%.1f" y="%.1f">%s</text>`, (left+plotWidth)/2, floor+34, esc(p.X.Name))
	fmt.Fprintf(b, `<text class="mid" transform="translate(14 %.1f) rotate(-90)">%s</text>`,
		(top+floor)/2, esc(p.Y.Name))
}

// svgBars draws one stacked row per bar, its name above and its total at the end. Bars of one
// unit share a scale, so that lengths can be compared.
func (p *plot) svgBars(top float64) string {
	longest := map[string]float64{}
	for i := range p.Bars {
		longest[p.Bars[i].Unit] = max(longest[p.Bars[i].Unit], p.Bars[i].total())
	}
	var b strings.Builder
	for i := range p.Bars {
		p.Bars[i].svg(&b, top+float64(i)*barRow, longest[p.Bars[i].Unit])
	}
	return b.String()
}

func (r *bar) svg(b *strings.Builder, y, longest float64) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f">%s</text>`, edge, y+14, esc(r.Name))
	x := edge
	for _, part := range r.Parts {
		width := 0.0
		if longest > 0 {
			width = part.Value / longest * (plotWidth - 2*edge - 110)
		}
		fmt.Fprintf(b, `<rect class="f%d" x="%.1f" y="%.1f" width="%.1f" height="16"><title>%s</title></rect>`,
			part.Hue, x, y+barLabel, width, esc(part.Name+": "+inUnit(part.Value, r.Unit)))
		x += width
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f">%s</text>`, x+6, y+barLabel+12, esc(inUnit(r.total(), r.Unit)))
}

// esc escapes text for SVG, and drops what XML cannot hold.
func esc(s string) string {
	return html.EscapeString(strings.Map(printable, strings.ToValidUTF8(s, "?")))
}

// printable drops (-1) the characters that neither XML nor HTML can hold.
func printable(r rune) rune {
	if r < ' ' && r != '\n' && r != '\t' || r == '\uFFFE' || r == '\uFFFF' {
		return -1
	}
	return r
}
