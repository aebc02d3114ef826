// Package web is what the project's pages share: uPlot, which draws their plots, and the colours. The report carries them
// inside its one file, the live page has them served.
//
// uPlot (https://github.com/leeoniya/uPlot, v1.6.32) is MIT: its licence is uPlot.LICENSE, and stands in the script's first line.
package web

import _ "embed"

// The files as they are.
var (
	//go:embed uPlot.iife.min.js
	PlotScript string // defines the global uPlot

	//go:embed uPlot.min.css
	PlotStyle string

	//go:embed colours.css
	Colours string // custom properties, for light and for dark; both can be told apart by people who are colour-blind
)
