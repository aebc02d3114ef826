package lambda

import (
	"context"

	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

type Serving struct{}

func NewServing(ctx context.Context, cfg Config) (*Serving, error)        { panic("unwritten") }
func (s *Serving) Run(ctx context.Context) error                          { panic("unwritten") }
func (s *Serving) Layers() []httpapi.Layer                                { panic("unwritten") }
func (s *Serving) Windows(r httpapi.Range) ([]view.Window, httpapi.Stamp) { panic("unwritten") }
func (s *Serving) Alerts(r httpapi.Range) ([]view.Alert, httpapi.Stamp)   { panic("unwritten") }
func (s *Serving) Status() httpapi.Status                                 { panic("unwritten") }
func (s *Serving) Latest(ctx context.Context, car string, afterSeq int64, layer httpapi.Layer) (httpapi.Latest, bool) {
	panic("unwritten")
}
