package httpapi

import (
	"context"
	"math"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/view"
)

// serveFake serves a on loopback for the length of the test.
func serveFake(t testing.TB, a Answers) *Client {
	l, err := Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- Serve(ctx, l, a) }()
	c := NewClient(l.Addr().String())
	t.Cleanup(func() {
		c.Close()
		cancel()
		require.NoError(t, <-served)
	})
	return c
}

func TestTheClientReadsWhatTheServerHas(t *testing.T) {
	a := newFake(Merged, Batch)
	c := serveFake(t, a)
	rapid.Check(t, func(t *rapid.T) {
		a.windows = rapid.SliceOfN(rapid.Custom(drawWindow), 1, 10).Draw(t, "windows")
		a.alerts = rapid.SliceOfN(rapid.Custom(drawAlert), 1, 10).Draw(t, "alerts")
		a.trips = rapid.SliceOfN(rapid.Custom(drawTrip), 1, 10).Draw(t, "trips")
		selected := Range{
			From:  rapid.Int64Max(0).Draw(t, "from"),
			To:    rapid.OneOf(rapid.Int64Min(1), rapid.Just[int64](math.MaxInt64)).Draw(t, "to"),
			Car:   rapid.String().Draw(t, "car"),
			Layer: rapid.SampledFrom(a.layers).Draw(t, "layer"),
		}
		for _, get := range []func(context.Context, Range) ([]view.Window, Stamp, error){
			c.Windows, c.WindowsJSON,
		} {
			rows, stamp, err := get(context.Background(), selected)
			require.NoError(t, err)
			require.Equal(t, a.windows, rows)
			require.Equal(t, a.stamp, stamp)
			require.Equal(t, selected, a.asked)
		}
		for _, get := range []func(context.Context, Range) ([]view.Alert, Stamp, error){
			c.Alerts, c.AlertsJSON,
		} {
			rows, stamp, err := get(context.Background(), selected)
			require.NoError(t, err)
			require.Equal(t, a.alerts, rows)
			require.Equal(t, a.stamp, stamp)
			require.Equal(t, selected, a.asked)
		}
		for _, get := range []func(context.Context, Range) ([]view.Trip, Stamp, error){
			c.Trips, c.TripsJSON,
		} {
			rows, stamp, err := get(context.Background(), selected)
			require.NoError(t, err)
			require.Equal(t, a.trips, rows)
			require.Equal(t, a.stamp, stamp)
			require.Equal(t, selected, a.asked)
		}
	})
}

func TestTheClientFindsEveryCar(t *testing.T) {
	f := func(car string) {
		a := newFake(Merged)
		a.see(car, 4)
		latest, found, err := serveFake(t, a).Latest(t.Context(), car, -1, 0, Merged)
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, car, latest.Car)
		require.Equal(t, a.windows[0], latest.Window)
	}
	f("car-00042")
	f("latest")
	f(".")
	f("..")
	f("//")
	f("a/b")
	f("a b")
	f("?x=1")
	f("%2F")
	f("ü")
}

func TestTheClientReadsTheStatus(t *testing.T) {
	a := newFake(Merged)
	status, err := serveFake(t, a).Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, a.Status(), status)
}

func TestTheClientReturnsTheServersError(t *testing.T) {
	c := serveFake(t, newFake(Merged))
	_, _, err := c.Windows(t.Context(), Range{From: 1, To: 2, Layer: Batch})
	var bad *Error
	require.ErrorAs(t, err, &bad)
	require.Equal(t, "layer", bad.Parameter)
	require.Equal(t, 400, bad.Code)
	require.EqualError(t, err, `bad value "batch" of parameter layer (layer takes merged)`)
}

func TestListenNamesThePortThatIsInUse(t *testing.T) {
	l, err := Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	_, err = Listen(t.Context(), l.Addr().String())
	require.ErrorContains(t, err, "port "+port+" is in use; stop the process that holds it")
	_, err = Listen(t.Context(), "nonsense")
	require.ErrorContains(t, err, "listen on nonsense")
}

func TestServeReturnsWhatBrokeItsListener(t *testing.T) {
	l, err := Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	require.ErrorIs(t, Serve(t.Context(), l, newFake(Merged)), net.ErrClosed)
}
