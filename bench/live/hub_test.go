package live

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// listener is a browser of a test, in memory: it takes what is written until it is told to take no more.
type listener struct {
	header http.Header
	status int
	mu     sync.Mutex
	text   strings.Builder
	stuck  chan struct{} // until it is closed nothing is taken; nil: everything is
	limit  time.Time
}

func (l *listener) Header() http.Header  { return l.header }
func (l *listener) WriteHeader(code int) { l.status = code }
func (l *listener) Flush()               {}

func (l *listener) SetWriteDeadline(at time.Time) error {
	l.limit = at
	return nil
}

func (l *listener) Write(p []byte) (int, error) {
	if l.stuck != nil {
		select {
		case <-l.stuck:
		case <-time.After(time.Until(l.limit)):
			return 0, context.DeadlineExceeded
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// heard are the events so far.
func (l *listener) heard(t *testing.T) []event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return parse(t, l.text.String())
}

func parse(t *testing.T, text string) []event {
	var all []event
	for _, block := range strings.Split(strings.TrimSuffix(text, "\n\n"), "\n\n") {
		lines := strings.Split(block, "\n")
		if strings.HasPrefix(lines[0], "retry: ") {
			continue
		}
		require.Len(t, lines, 2, "an event is two lines: %s", block)
		name, ok := strings.CutPrefix(lines[0], "event: ")
		require.True(t, ok, block)
		data, ok := strings.CutPrefix(lines[1], "data: ")
		require.True(t, ok, block)
		require.True(t, json.Valid([]byte(data)), data)
		all = append(all, event{name, json.RawMessage(data)})
	}
	return all
}

// listen has a new browser listen until the test or leave ends it.
func listen(t *testing.T, h *Hub, stuck chan struct{}) (l *listener, leave func()) {
	ctx, cancel := context.WithCancel(context.Background())
	l = &listener{header: http.Header{}, status: http.StatusOK, stuck: stuck}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		h.ServeStream(l, httptest.NewRequest("GET", "/live/stream", nil).WithContext(ctx))
	}()
	leave = func() { cancel(); <-gone }
	t.Cleanup(leave)
	return l, leave
}

func decode[T any](t *testing.T, e event) (x T) {
	t.Helper()
	require.NoError(t, json.Unmarshal(e.json, &x), e.name)
	return x
}

func streams(h *Hub) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.streams
}

func listening(h *Hub) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients)
}

func greeted(t *testing.T) *Hub {
	h := NewHub()
	require.NoError(t, h.Hello(Hello{Rate: 2000}))
	return h
}

// Ensure that a stream begins with hello and the last five minutes, and goes on with everything, in order.
func TestHubTellsWhatWasAndWhatIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := greeted(t)
		for i := range int64(2000) {
			require.NoError(t, h.Tick(Tick{At: 250 * (i + 1)}))
			require.NoError(t, h.Batch(Batch{At: 250 * (i + 1), Generation: i}))
			require.NoError(t, h.Note(Note{At: 250 * (i + 1), Text: fmt.Sprint("note ", i)}))
		}
		require.NoError(t, h.Cars(Cars{At: 500_000, Lambda: "0A.", Kappa: "19A"}))
		l, _ := listen(t, h, nil)
		synctest.Wait()
		require.NoError(t, h.Tick(Tick{At: 500_250}))
		require.NoError(t, h.Hello(Hello{Rate: 4000}))
		synctest.Wait()
		heard := l.heard(t)
		require.Len(t, heard, 4)
		require.Equal(t, "text/event-stream", l.header.Get("Content-Type"))
		require.InDelta(t, 2000, decode[Hello](t, heard[0]).Rate, 0)
		require.Equal(t, "history", heard[1].name)
		history := decode[History](t, heard[1])
		require.Len(t, history.Ticks, mostTicks)
		require.Equal(t, int64(200_250), history.Ticks[0].At, "and not what is older than five minutes")
		require.Equal(t, int64(500_000), history.Ticks[mostTicks-1].At)
		require.Len(t, history.Batches, mostBatches)
		require.Len(t, history.Notes, mostNotes)
		require.Equal(t, "note 1999", history.Notes[mostNotes-1].Text)
		require.Equal(t, &Cars{At: 500_000, Lambda: "0A.", Kappa: "19A"}, history.Cars)
		require.Equal(t, int64(500_250), decode[Tick](t, heard[2]).At)
		require.InDelta(t, 4000, decode[Hello](t, heard[3]).Rate, 0)
	})
}

// Ensure that what is older than five minutes is not told, however slowly the ticks come.
func TestHubForgetsByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := greeted(t)
		for _, at := range []int64{1000, 2000, 301_500} {
			require.NoError(t, h.Tick(Tick{At: at}))
		}
		l, _ := listen(t, h, nil)
		synctest.Wait()
		history := decode[History](t, l.heard(t)[1])
		require.Len(t, history.Ticks, 2)
		require.Empty(t, history.Notes)
		require.NotNil(t, history.Notes, "a list, not null")
		require.Nil(t, history.Cars)
	})
}

// Ensure that a browser that takes nothing delays nobody, is sent away when it is a queue behind, and leaves nothing behind: if it
// takes what it is owed it hears bye after it, and if it takes nothing it is gone when its time is over.
func TestHubSendsSlowBrowsersAway(t *testing.T) {
	for _, wakes := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			h := greeted(t)
			stuck := make(chan struct{})
			slow, _ := listen(t, h, stuck)
			quick, _ := listen(t, h, nil)
			for i := range int64(queue + 1) {
				synctest.Wait()
				require.NoError(t, h.Tick(Tick{At: i}))
			}
			synctest.Wait()
			require.Len(t, quick.heard(t), 2+queue+1)
			require.Equal(t, 1, listening(h), "the slow one hears no more")
			if wakes {
				close(stuck)
			} else {
				time.Sleep(writeWithin)
			}
			synctest.Wait()
			require.Equal(t, 1, streams(h))
			if wakes {
				heard := slow.heard(t)
				require.Len(t, heard, 2+queue+1)
				require.Equal(t, "bye", heard[len(heard)-1].name)
				require.Contains(t, decode[Bye](t, heard[len(heard)-1]).Text, "too slow")
			}
		})
	}
}

// Ensure that a stream with long silences goes on: the time that a browser has is for what it is sent.
func TestHubWaitsInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := greeted(t)
		l, _ := listen(t, h, nil)
		for i := range 3 {
			time.Sleep(10 * writeWithin)
			require.NoError(t, h.Tick(Tick{}))
			synctest.Wait()
			require.Len(t, l.heard(t), 2+i+1)
			require.Equal(t, time.Now().Add(writeWithin), l.limit)
		}
	})
}

// Ensure that the end is said to everybody, after everything that was said before, and that nobody is let in afterwards.
func TestHubSaysBye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := greeted(t)
		l, _ := listen(t, h, nil)
		synctest.Wait()
		require.NoError(t, h.Note(Note{Text: "the last"}))
		h.Close("the demo ends")
		require.NoError(t, h.Tick(Tick{}))
		synctest.Wait()
		heard := l.heard(t)
		require.Len(t, heard, 4)
		require.Equal(t, "note", heard[2].name)
		require.Equal(t, "the demo ends", decode[Bye](t, heard[3]).Text)
		require.Zero(t, streams(h))
		late, _ := listen(t, h, nil)
		synctest.Wait()
		require.Equal(t, http.StatusServiceUnavailable, late.status)
		require.Contains(t, late.text.String(), "the demo ends")
	})
}

// Ensure that nobody is let in before there is a hello, nor more than there is room for, and that who leaves makes room.
func TestHubHasRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub()
		early, _ := listen(t, h, nil)
		synctest.Wait()
		require.Equal(t, http.StatusServiceUnavailable, early.status)
		require.NoError(t, h.Hello(Hello{}))
		var leave func()
		for range mostStreams {
			_, leave = listen(t, h, nil)
		}
		synctest.Wait()
		one, _ := listen(t, h, nil)
		synctest.Wait()
		require.Equal(t, http.StatusServiceUnavailable, one.status)
		require.Contains(t, one.text.String(), "64 pages")
		leave()
		another, _ := listen(t, h, nil)
		synctest.Wait()
		require.Equal(t, http.StatusOK, another.status)
	})
}

// Ensure that a number that JSON has no word for is an error of who publishes it, and nobody hears of it.
func TestHubRefusesWhatIsNoNumber(t *testing.T) {
	h := greeted(t)
	require.ErrorContains(t, h.Tick(Tick{Sent: math.NaN()}), "publish tick")
	require.Empty(t, h.ticks.all())
}

// Ensure that whoever comes whenever hears every tick exactly once, through a real server, while others come and go: the history
// ends where the stream begins.
func TestHubLosesNothingBetweenHistoryAndStream(t *testing.T) {
	h := greeted(t)
	server := httptest.NewServer(http.HandlerFunc(h.ServeStream))
	defer server.Close()
	const last = 300
	var browsers sync.WaitGroup
	for range 6 {
		browsers.Go(func() {
			for next := 0; next < last; {
				next = requireEveryTick(t, server.URL, last)
			}
		})
	}
	for i := range int64(last + 1) {
		if err := h.Tick(Tick{At: i}); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Millisecond) // what a browser has to be able to follow, not what is waited for
	}
	browsers.Wait()
	require.Eventually(t, func() bool { return streams(h) == 0 && listening(h) == 0 }, 10*time.Second, time.Millisecond)
}

// requireEveryTick listens to the history and to a few ticks more, or until the last, and returns the newest tick that it heard.
func requireEveryTick(t *testing.T, address string, last int) (newest int) {
	answer, err := http.Get(address)
	if err != nil {
		t.Error(err)
		return last
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 8<<20)
	newest = -1
	name := ""
	for few := 5; newest < last && few > 0 && lines.Scan(); {
		if n, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			name = n
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok || name == "hello" || name == "bye" {
			continue
		}
		var ticks []Tick
		if name == "history" {
			ticks = decode[History](t, event{name, json.RawMessage(data)}).Ticks
		} else {
			ticks = []Tick{decode[Tick](t, event{name, json.RawMessage(data)})}
			few--
		}
		for _, tick := range ticks {
			if int(tick.At) != newest+1 {
				t.Errorf("tick %d came after %d", tick.At, newest)
				return last
			}
			newest++
		}
	}
	return newest
}

// Ensure that a browser at the other end of a real connection that reads nothing is gone when its time is over.
func TestHubGivesUpOnAStuckConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := greeted(t)
		for i := range int64(100) {
			require.NoError(t, h.Tick(Tick{At: i}))
		}
		here, there := net.Pipe()
		defer there.Close()
		server := &http.Server{Handler: http.HandlerFunc(h.ServeStream)}
		defer server.Close()
		go func() { _ = server.Serve(&oneConnection{conn: here, gone: make(chan struct{})}) }()
		_, err := there.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, 1, streams(h))
		time.Sleep(writeWithin + time.Second)
		synctest.Wait()
		require.Zero(t, streams(h))
	})
}

// oneConnection is a listener that has one connection and waits for the end.
type oneConnection struct {
	conn net.Conn
	once sync.Once
	gone chan struct{}
}

func (l *oneConnection) Accept() (c net.Conn, err error) {
	l.once.Do(func() { c = l.conn })
	if c != nil {
		return c, nil
	}
	<-l.gone
	return nil, net.ErrClosed
}

func (l *oneConnection) Close() error   { close(l.gone); return nil }
func (l *oneConnection) Addr() net.Addr { return l.conn.LocalAddr() }
