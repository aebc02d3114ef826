package report

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
)

// A box is a part of an architecture in its diagram. Kept says that it holds something and does nothing.
type box struct {
	part, label string
	x, y        float64
	kept        bool
}

// An arrow leads from box to box. Dashed is what happens only when the logic changes, or beside the answers.
type arrow struct {
	from, to int
	dashed   bool
}

// A diagram is one architecture as the report draws it.
type diagram struct {
	name   string
	boxes  []box
	arrows []arrow
}

const (
	boxWidth, boxHeight         = 82.0, 30.0
	diagramWidth, diagramHeight = 590.0, 126.0
	top, middleRow, bottomRow   = 8.0, 48.0, 88.0
	column0, column1, column2   = 4.0, 104.0, 204.0
	column3, column4, column5   = 304.0, 404.0, 504.0
)

// The two as the source draws them, with where each keeps its history.
var (
	lambdaDiagram = diagram{
		name: "Lambda",
		boxes: []box{
			{"log", "log", column0, middleRow, true},
			{"lambda ingest", "ingest", column1, top, false},
			{"master dataset", "files", column2, top, true},
			{"lambda batch", "batch", column3, top, false},
			{"batch view", "batch view", column4, top, true},
			{"lambda speed", "speed", column1 + 100, bottomRow, false},
			{"speed view", "speed view", column4, bottomRow, true},
			{"lambda serve", "serving", column5, middleRow, false},
		},
		arrows: []arrow{{0, 1, false}, {1, 2, false}, {2, 3, false}, {3, 4, false}, {4, 7, false}, {0, 5, false}, {5, 6, false}, {6, 7, false}},
	}
	kappaDiagram = diagram{
		name: "Kappa",
		boxes: []box{
			{"log", "log", column0, middleRow, true},
			{"kappa process", "processor", column2, middleRow, false},
			{"changelog", "changelog", column4, middleRow, true},
			{"kappa serve", "serving", column5, middleRow, false},
			{"kappa replay", "replay", column2, bottomRow, false},
			{"kappa sink", "archive", column2, top, false},
		},
		arrows: []arrow{{0, 1, false}, {1, 2, false}, {2, 3, false}, {0, 4, true}, {4, 2, true}, {0, 5, true}},
	}
)

// diagrams draws both architectures with the parts that a scenario is about; "" when it names none.
func diagrams(parts []string) template.HTML {
	if len(parts) == 0 {
		return ""
	}
	return template.HTML(lambdaDiagram.svg(parts) + kappaDiagram.svg(parts)) // nothing in it is from outside but known parts
}

func (d *diagram) svg(parts []string) string {
	var b strings.Builder
	var lit []string
	for _, x := range d.boxes {
		if slices.Contains(parts, x.part) {
			lit = append(lit, x.label)
		}
	}
	about := d.name
	if len(lit) > 0 {
		about += "; this is about " + strings.Join(lit, ", ")
	}
	fmt.Fprintf(&b, `<svg class="diagram" role="img" viewBox="0 0 %g %g" aria-label="%s">`, diagramWidth, diagramHeight, esc(about))
	for _, a := range d.arrows {
		d.arrow(&b, a)
	}
	for _, x := range d.boxes {
		class := "part"
		if x.kept {
			class += " kept"
		}
		if slices.Contains(parts, x.part) {
			class += " lit"
		}
		fmt.Fprintf(&b, `<g class="%s"><rect x="%g" y="%g" width="%g" height="%g" rx="%g"/><text x="%g" y="%g">%s</text></g>`,
			class, x.x, x.y, boxWidth, boxHeight, map[bool]float64{true: 15, false: 3}[x.kept], x.x+boxWidth/2, x.y+boxHeight/2+4, esc(x.label))
	}
	fmt.Fprintf(&b, `<text class="name" x="%g" y="16">%s</text></svg>`, column0, esc(d.name))
	return b.String()
}

// arrow draws a line from the right edge of one box to the left edge of another, with its head.
func (d *diagram) arrow(b *strings.Builder, a arrow) {
	from, to := d.boxes[a.from], d.boxes[a.to]
	x1, y1 := from.x+boxWidth, from.y+boxHeight/2
	x2, y2 := to.x, to.y+boxHeight/2
	class := "flow"
	if a.dashed {
		class += " seldom"
	}
	bend := min(x1+10, x2)
	fmt.Fprintf(b, `<path class="%s" d="M%g %g H%g L%g %g H%g"/><path class="head" d="M%g %g l-6 -3 v6 z"/>`,
		class, x1, y1, bend, min(bend+18, x2), y2, x2, x2, y2)
}
