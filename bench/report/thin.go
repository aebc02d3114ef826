package report

import (
	"fmt"
	"math"
)

// How much of a page its lines may take. A full run has 200 lines of up to a thousand samples: with all of them the page would
// be larger than a mail carries, and a drawing of 700 pixels shows no more.
const (
	lineRoom    = 800 << 10 // bytes; what else a full run has is less than 1.2 MB, sources included
	pointBytes  = 34        // of a point, as data and as drawing
	mostPoints  = 500       // of a line, however few there are
	leastPoints = 40        // of a line, however many there are
)

// thin leaves each line of the page no more points than there is room for, and says so.
func (p *page) thin() {
	lines := 0
	for _, plot := range p.plots() {
		lines += len(plot.Lines)
	}
	room := min(max(lineRoom/pointBytes/max(lines, 1), leastPoints), mostPoints)
	for _, plot := range p.plots() {
		most := 0
		for i := range plot.Lines {
			most = max(most, plot.Lines[i].thin(room))
		}
		if most > 1 {
			plot.About += fmt.Sprintf(" Drawn are the least and the greatest of up to %d samples in a row; summary.json has all.", most)
		}
	}
}

// thin replaces every so many points in a row by the least and the greatest of them, and returns how many; 1 leaves all.
func (l *line) thin(room int) int {
	every := 1
	if len(l.Points) > room {
		every = int(math.Ceil(2 * float64(len(l.Points)) / float64(room)))
	}
	var points [][2]float64
	for from := 0; from < len(l.Points); from += every {
		part := l.Points[from:min(from+every, len(l.Points))]
		least, most := 0, 0
		for i := range part {
			if part[i][1] < part[least][1] {
				least = i
			}
			if part[i][1] > part[most][1] {
				most = i
			}
		}
		points = append(points, rounded(part[min(least, most)]))
		if least != most {
			points = append(points, rounded(part[max(least, most)]))
		}
	}
	l.Points = points
	return every
}

// rounded is a point with as many digits as anybody can see.
func rounded(p [2]float64) [2]float64 { return [2]float64{significant(p[0], 6), significant(p[1], 4)} }

func significant(x float64, digits int) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	scale := math.Pow(10, float64(digits-1)-math.Floor(math.Log10(math.Abs(x))))
	if y := math.Round(x*scale) / scale; !math.IsNaN(y) && !math.IsInf(y, 0) {
		return y
	}
	return x
}
