package report

import (
	"maps"
	"path"
	"slices"

	"lambdakappa/bench/result"
)

// sides are the columns of code, as they stand beside each other. Two of them are Lambda: with a
// batch layer that has a logic of its own, and with one that drives the speed layer's. Two are Kappa:
// without an archive behind it, and with one.
var sides = []string{"lambda", "lambda-shared", "kappa", "kappa-archived", "shared"}

// namedFiles is how many file names get a colour of their own: the palette has room for two more,
// the other files and the shared packages. The table has them all.
const namedFiles = hueCount - 2

// codePlot stacks the lines of every file: the same file name has the same colour on both sides.
func codePlot(sizes map[string]result.CodeSize) *plot {
	p := &plot{
		ID:    "code-size",
		Title: "Lines of code by file",
		About: "Lines with code: no comments, no blank lines, no tests. A colour is a file name, so the same role " +
			"looks the same on both sides. Shared code belongs to both.",
		Data: table{Head: []string{"side", "file", "lines", "statements", "cognitive complexity"}},
	}
	largest := largestNames(sizes)
	for _, side := range sides {
		if size, counted := sizes[side]; counted {
			p.Bars = append(p.Bars, codeBar(side, size, largest))
			p.addFiles(side, size)
		}
	}
	p.paint(nil)
	return p
}

// largestNames returns the file names that have the most lines on the two sides together.
func largestNames(sizes map[string]result.CodeSize) []string {
	lines := map[string]int{}
	for _, side := range []string{"lambda", "kappa"} {
		for _, f := range sizes[side].PerFile {
			lines[path.Base(f.File)] += f.Lines
		}
	}
	names := slices.Sorted(maps.Keys(lines))
	slices.SortStableFunc(names, func(a, b string) int { return lines[b] - lines[a] })
	return names[:min(namedFiles, len(names))]
}

// codeBar has one part per large file, and one for all the others.
func codeBar(side string, size result.CodeSize, largest []string) bar {
	b := bar{Name: side, Unit: "lines"}
	if side == "shared" {
		b.Parts = []part{{Name: "shared packages", Value: float64(size.Lines)}}
		return b
	}
	others := size.Lines
	for _, f := range size.PerFile {
		if name := path.Base(f.File); slices.Contains(largest, name) {
			b.Parts = append(b.Parts, part{Name: name, Value: float64(f.Lines)})
			others -= f.Lines
		}
	}
	slices.SortStableFunc(b.Parts, func(x, y part) int {
		return slices.Index(largest, x.Name) - slices.Index(largest, y.Name)
	})
	if others > 0 {
		b.Parts = append(b.Parts, part{Name: "other files", Value: float64(others)})
	}
	return b
}

func (p *plot) addFiles(side string, size result.CodeSize) {
	for _, f := range size.PerFile {
		p.Data.Rows = append(p.Data.Rows, []cell{
			text(side), text(f.File), text(figure(float64(f.Lines))),
			text(figure(float64(f.Statements))), text(figure(float64(f.Complexity))),
		})
	}
	if len(size.PerFile) == 0 {
		p.Data.Rows = append(p.Data.Rows, []cell{
			text(side), text("all files"), text(figure(float64(size.Lines))),
			text(figure(float64(size.Statements))), text(figure(float64(size.CognitiveComplexity))),
		})
	}
}
