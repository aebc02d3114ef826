package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"lambdakappa/view"
)

// clientConns is how many connections a client keeps open: enough for a thousand blocking queries
// to come back at once without a new handshake for the next ones.
const clientConns = 1024

// A Client asks a serving process. It is safe for concurrent use; Close it when done.
//
// An answer that is not 200 OK is an [*Error].
type Client struct {
	base      string
	transport *http.Transport
}

// NewClient returns a client of the server at addr (host:port).
func NewClient(addr string) *Client {
	return &Client{
		base: "http://" + addr,
		transport: &http.Transport{
			MaxIdleConns:        clientConns,
			MaxIdleConnsPerHost: clientConns,
			IdleConnTimeout:     idleTimeout / 2, // before the server's: no request meets a closed one
			DisableCompression:  true,
			WriteBufferSize:     1 << 10, // a request is a few hundred bytes
		},
	}
}

// Close closes the idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Windows returns rows of the windows view, in no particular order.
func (c *Client) Windows(ctx context.Context, r Range) ([]view.Window, Stamp, error) {
	return getArrow(ctx, c, windowsPath, r, windowColumns())
}

// Alerts returns rows of the alerts view, in no particular order.
func (c *Client) Alerts(ctx context.Context, r Range) ([]view.Alert, Stamp, error) {
	return getArrow(ctx, c, alertsPath, r, alertColumns())
}

// Trips returns rows of the trips view, in no particular order. A system that keeps none answers
// with an [*Error] of code 404.
//
//bench:change view
func (c *Client) Trips(ctx context.Context, r Range) ([]view.Trip, Stamp, error) {
	return getArrow(ctx, c, tripsPath, r, tripColumns())
}

// WindowsJSON is [Client.Windows] by way of JSON.
func (c *Client) WindowsJSON(ctx context.Context, r Range) ([]view.Window, Stamp, error) {
	return getLines(ctx, c, windowsPath, r, newWindowRow, windowRow.window)
}

// AlertsJSON is [Client.Alerts] by way of JSON.
func (c *Client) AlertsJSON(ctx context.Context, r Range) ([]view.Alert, Stamp, error) {
	return getLines(ctx, c, alertsPath, r, newAlertRow, alertRow.alert)
}

// TripsJSON is [Client.Trips] by way of JSON.
//
//bench:change view
func (c *Client) TripsJSON(ctx context.Context, r Range) ([]view.Trip, Stamp, error) {
	return getLines(ctx, c, tripsPath, r, newTripRow, tripRow.trip)
}

// Latest answers a point query of a layer ("" is the default); false when the car has no row.
// With afterSeq >= 0 it names the visible seqs above it, as far back as [MaxVisible], and waits for
// one up to wait.
func (c *Client) Latest(
	ctx context.Context, car string, afterSeq int64, wait time.Duration, layer Layer,
) (Latest, bool, error) {
	body, _, err := c.get(ctx, latestURL(car, afterSeq, wait, layer), "")
	var bad *Error
	if errors.As(err, &bad) && bad.Code == http.StatusNotFound && bad.Parameter == "car" {
		return Latest{}, false, nil
	}
	if err != nil {
		return Latest{}, false, err
	}
	defer drain(body)
	row := latestRow{Window: newWindowRow()}
	if err := json.NewDecoder(body).Decode(&row); err != nil {
		return Latest{}, false, fmt.Errorf("read latest window of %s: %w", car, err)
	}
	return row.latest(), true, nil
}

func latestURL(car string, afterSeq int64, wait time.Duration, layer Layer) string {
	var b strings.Builder
	// Dots too: a car named ".." would be taken for a step up the path.
	car = strings.ReplaceAll(url.PathEscape(car), ".", "%2E")
	b.WriteString(strings.Replace(latestPath, "{car}", car, 1))
	separator := byte('?')
	set := func(name, value string) {
		b.WriteByte(separator)
		b.WriteString(name + "=" + value)
		separator = '&'
	}
	if afterSeq >= 0 {
		set("after_seq", strconv.FormatInt(afterSeq, 10))
		set("wait", wait.String())
	}
	if layer != "" {
		set("layer", string(layer))
	}
	return b.String()
}

// Status asks how far the answers reflect the log.
func (c *Client) Status(ctx context.Context) (Status, error) {
	body, _, err := c.get(ctx, statusPath, "")
	if err != nil {
		return Status{}, err
	}
	defer drain(body)
	var s Status
	if err := json.NewDecoder(body).Decode(&s); err != nil {
		return Status{}, fmt.Errorf("read status: %w", err)
	}
	return s, nil
}

func getArrow[R any](
	ctx context.Context, c *Client, path string, r Range, columns []column[R],
) ([]R, Stamp, error) {
	body, stamp, err := c.get(ctx, path+"?"+r.encode(), ArrowType)
	if err != nil {
		return nil, Stamp{}, err
	}
	defer drain(body)
	rows, err := readArrow(body, columns)
	if err != nil {
		return nil, Stamp{}, fmt.Errorf("get %s: %w", path, err)
	}
	return rows, stamp, nil
}

func getLines[L, R any](
	ctx context.Context, c *Client, path string, r Range, newLine func() L, row func(L) (R, error),
) ([]R, Stamp, error) {
	body, stamp, err := c.get(ctx, path+"?"+r.encode(), "")
	if err != nil {
		return nil, Stamp{}, err
	}
	defer drain(body)
	rows, err := readLines(body, newLine, row)
	if err != nil {
		return nil, Stamp{}, fmt.Errorf("get %s: %w", path, err)
	}
	return rows, stamp, nil
}

// get sends a GET and returns the body and the stamp of an answer that is 200 OK.
func (c *Client) get(ctx context.Context, path, accept string) (io.ReadCloser, Stamp, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, Stamp{}, fmt.Errorf("get %s: %w", path, err)
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return nil, Stamp{}, fmt.Errorf("get %s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		defer drain(response.Body)
		return nil, Stamp{}, readError(response)
	}
	stamp, err := readStamp(response.Header)
	if err != nil {
		drain(response.Body)
		return nil, Stamp{}, fmt.Errorf("get %s: %w", path, err)
	}
	return response.Body, stamp, nil
}

// drain reads the little that is left of a body, so that its connection can be used again. A body
// with more left was given up: closing its connection is cheaper than reading on.
func drain(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, chunkSize)
	_ = body.Close()
}

func readStamp(h http.Header) (Stamp, error) {
	generation, err := strconv.ParseInt(h.Get(generationHeader), 10, 64)
	if err != nil {
		return Stamp{}, fmt.Errorf("read header %s: %w", generationHeader, err)
	}
	return Stamp{
		Version: h.Get(versionHeader), Generation: generation, Mistake: h.Get(mistakeHeader),
	}, nil
}

func readError(response *http.Response) error {
	bad := &Error{Code: response.StatusCode}
	if err := json.NewDecoder(response.Body).Decode(bad); err != nil {
		return fmt.Errorf("%s %s: not an answer of this API: %w",
			response.Request.URL, response.Status, err)
	}
	return bad
}
