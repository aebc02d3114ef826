package report

import (
	"go/scanner"
	"go/token"
	"html"
	"html/template"
	"strings"
)

// highlighted is Go source as HTML: every byte of it, with a class at what a reader looks for. Classes: k keyword, s string,
// n number, c comment, f the name that a function or a type is declared by.
func highlighted(source []byte) template.HTML {
	file := token.NewFileSet().AddFile("", -1, len(source))
	var s scanner.Scanner
	s.Init(file, source, func(token.Position, string) {}, scanner.ScanComments) // what cannot be scanned stays as it is
	var b strings.Builder
	var names declared
	done := 0
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			b.WriteString(html.EscapeString(string(source[done:])))
			return template.HTML(b.String()) // made of escaped text and classes that are written above
		}
		class, from := classOf(tok), file.Offset(pos)
		if names.next(tok, from == 0 || source[from-1] == '\n') {
			class = "f"
		}
		if class == "" {
			continue
		}
		to := from + len(literal)
		b.WriteString(html.EscapeString(string(source[done:from])))
		b.WriteString(`<span class="` + class + `">` + html.EscapeString(string(source[from:to])) + `</span>`)
		done = to
	}
}

func classOf(tok token.Token) string {
	switch {
	case tok == token.COMMENT:
		return "c"
	case tok.IsKeyword():
		return "k"
	case tok == token.STRING || tok == token.CHAR:
		return "s"
	case tok == token.INT || tok == token.FLOAT || tok == token.IMAG:
		return "n"
	default:
		return ""
	}
}

// A declared follows tokens and finds the names that functions and types are declared by.
type declared struct {
	awaited bool // behind "func" or "type", until the name
	depth   int  // of the receiver's parentheses
	method  bool // the receiver is over: what follows is the name
}

// next reports whether the token is such a name. What is declared begins its line.
func (d *declared) next(tok token.Token, beginsLine bool) bool {
	switch {
	case beginsLine:
		*d = declared{awaited: tok == token.FUNC || tok == token.TYPE}
	case !d.awaited:
	case tok == token.IDENT && d.depth == 0:
		*d = declared{}
		return true
	case tok == token.LPAREN && !d.method:
		d.depth++
	case tok == token.RPAREN && d.depth > 0:
		d.depth--
		d.method = d.depth == 0
	}
	return false
}
