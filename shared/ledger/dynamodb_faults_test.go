package ledger_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/ledger"
)

// fakeDynamoDB answers in DynamoDB's JSON protocol as a test's plan says: one answer per call, and success after the
// last. It holds every request to limits that an emulator does not know.
type fakeDynamoDB struct {
	t     *testing.T
	mu    sync.Mutex
	plan  []answer
	calls []call
}

// answer is the body of an error; "" is success, and lost breaks the connection.
type answer func(call) string

// call is what the tests look at of a request.
type call struct {
	operation                 string
	Key, Item                 map[string]struct{ S, N string }
	ExpressionAttributeValues map[string]struct{ S, N string }
	IndexName                 string
	ConsistentRead            bool
}

func (f *fakeDynamoDB) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c call
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, c.operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	body := f.next(c)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if body != "" {
		w.WriteHeader(http.StatusBadRequest)
	} else {
		body = "{}"
	}
	fmt.Fprint(w, body)
}

func (f *fakeDynamoDB) next(c call) string {
	f.mu.Lock()
	defer f.mu.Unlock() // a lost answer panics
	f.calls = append(f.calls, c)
	f.allowed(c)
	if n := len(f.calls); n <= len(f.plan) {
		return f.plan[n-1](c)
	}
	return ""
}

// allowed checks the length of keys (developer guide, "Constraints": 2,048 bytes for a partition key, 1,024 for a
// sort key, of tables and indexes alike, and none empty), and that what is not read from an index is read as written.
func (f *fakeDynamoDB) allowed(c call) {
	for _, attributes := range []map[string]struct{ S, N string }{c.Key, c.Item} {
		for name, limit := range map[string]int{"pk": 2048, "sk": 1024, "gsi2pk": 2048, "gsi2sk": 1024} {
			if value, there := attributes[name]; there && (value.S == "" || len(value.S) > limit) {
				f.t.Errorf("%s: %s of %d bytes", c.operation, name, len(value.S))
			}
		}
	}
	if c.operation != "PutItem" && c.IndexName == "" && !c.ConsistentRead {
		f.t.Errorf("%s may miss what was written", c.operation)
	}
}

// open returns a store on the fake whose client makes at most two attempts per call.
func (f *fakeDynamoDB) open(t *testing.T) *ledger.DynamoDB {
	f.t = t
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return ledger.NewDynamoDB(ledger.DynamoDBConfig{
		Client: client(server.URL, server.Client()), Table: "table", Now: func() time.Time { return noon },
	})
}

// check compares an outcome and the calls that led to it: one write sent again must be known as the same.
func (f *fakeDynamoDB) check(t *testing.T, err, want error, calls int) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	known := errors.Is(err, ledger.ErrConflict) || errors.Is(err, ledger.ErrNotFound)
	if want == errAway && (err == nil || known) || want != errAway && !errors.Is(err, want) {
		t.Errorf("error %v, expected %v", err, want)
	}
	if len(f.calls) != calls {
		t.Errorf("%d calls, expected %d", len(f.calls), calls)
	}
	for _, c := range f.calls {
		writer := c.Item["writer"].S
		if c.operation == "PutItem" && (writer == "" || writer != f.calls[0].Item["writer"].S) {
			t.Errorf("writer %q, expected one and the same", writer)
		}
	}
}

func lost(call) string { panic(http.ErrAbortHandler) }

func fault(code string) answer {
	return func(call) string {
		return fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"we are sorry"}`, code)
	}
}

// What stands in the table where a condition refuses a write.
func ours(c call) string { return refusal(`,"Item":{"writer":{"S":"` + c.Item["writer"].S + `"}}`) }
func theirs(call) string { return refusal(`,"Item":{"writer":{"S":"another"}}`) }
func none(call) string   { return refusal("") }

func refusal(item string) string {
	return `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"` + item + `}`
}

// errAway stands for any error that says nothing about the record.
var errAway = errors.New("neither done nor refused")

func TestDynamoDBWriteFaults(t *testing.T) {
	for name, c := range map[string]struct {
		plan  []answer
		want  error
		calls int
	}{
		"one write is one call":                       {nil, nil, 1},
		"a lost answer is asked for again, and found": {[]answer{lost, ours}, nil, 2},
		"a lost request is carried out later":         {[]answer{lost}, nil, 2},
		"another has written":                         {[]answer{theirs}, ledger.ErrConflict, 1},
		"another has written after a lost answer":     {[]answer{lost, theirs}, ledger.ErrConflict, 2},
		"there is no row":                             {[]answer{none}, ledger.ErrConflict, 1},
		"throttled once":                              {[]answer{fault("ThrottlingException")}, nil, 2},
		"too much for one partition, once":            {[]answer{fault("ProvisionedThroughputExceededException")}, nil, 2},
		"throttled on and on":                         {[]answer{fault("ThrottlingException"), fault("ThrottlingException")}, errAway, 2},
		"answers lost on and on":                      {[]answer{lost, lost}, errAway, 2},
		"no right to write":                           {[]answer{fault("AccessDeniedException")}, errAway, 1},
	} {
		for kind, write := range map[string]func(context.Context, *ledger.DynamoDB) (int64, error){
			"entry": func(ctx context.Context, d *ledger.DynamoDB) (int64, error) {
				saved, err := d.Save(ctx, ledger.Entry{Key: "event-platform/main/1", Version: 6})
				return saved.Version, err
			},
			"mark": func(ctx context.Context, d *ledger.DynamoDB) (int64, error) {
				saved, err := d.SaveMark(ctx, ledger.Mark{Subscription: "a", Entity: "product/1", Version: 6})
				return saved.Version, err
			},
		} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				fake := &fakeDynamoDB{plan: c.plan}
				version, err := write(t.Context(), fake.open(t))
				fake.check(t, err, c.want, c.calls)
				if err == nil && version != 7 {
					t.Errorf("version %d", version)
				}
			})
		}
	}
}

func TestDynamoDBGapFaults(t *testing.T) {
	for name, c := range map[string]struct {
		plan  []answer
		want  error
		calls int
	}{
		"a beginning that is known":    {[]answer{theirs}, nil, 1},
		"a beginning whose write held": {[]answer{lost, ours}, nil, 2},
		"throttled on and on":          {[]answer{fault("ThrottlingException"), fault("ThrottlingException")}, errAway, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := &fakeDynamoDB{plan: c.plan}
			fake.check(t, fake.open(t).SaveGap(t.Context(), ledger.Gap{PIM: "main", From: noon}), c.want, c.calls)
		})
	}
}

// TestDynamoDBReadFaults: what cannot be read is an error, never an event that was not seen before.
func TestDynamoDBReadFaults(t *testing.T) {
	for name, read := range map[string]func(context.Context, *ledger.DynamoDB) error{
		"Get":    func(ctx context.Context, d *ledger.DynamoDB) error { _, err := d.Get(ctx, "k"); return err },
		"Mark":   func(ctx context.Context, d *ledger.DynamoDB) error { _, err := d.Mark(ctx, "a", "b"); return err },
		"Recent": func(ctx context.Context, d *ledger.DynamoDB) error { _, err := d.Recent(ctx, "a", 1); return err },
		"Gaps":   func(ctx context.Context, d *ledger.DynamoDB) error { _, err := d.Gaps(ctx, "main"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := &fakeDynamoDB{plan: []answer{fault("ThrottlingException"), fault("ThrottlingException")}}
			fake.check(t, read(t.Context(), fake.open(t)), errAway, 2)
		})
	}
}

// TestDynamoDBRows: the keys of each kind of row, by which operators find them, and their time to live.
func TestDynamoDBRows(t *testing.T) {
	expires := fmt.Sprint(noon.Add(ledger.Life).Unix())
	long := strings.Repeat("x", 2000)
	for name, c := range map[string]struct {
		write func(context.Context, *ledger.DynamoDB) error
		want  string // pk, sk, and the keys of index 2
	}{
		"an event": {saveEntry(ledger.Entry{Key: "event-platform/main/1", Entity: "main#product/6a9f", CreatedAt: noon}),
			"EVENT#event-platform/main#1 STATE EVENT#main#product/6a9f 2026-01-05T12:00:00.000000000Z#event-platform/main/1"},
		"an event of no entity is in no index": {saveEntry(ledger.Entry{Key: "events-api/main/1"}), "EVENT#events-api/main#1 STATE  "},
		"an id of 800 bytes":                   {saveEntry(ledger.Entry{Key: "events-api/main/" + long[:800]}), "EVENT#events-api/main#" + long[:800] + " STATE  "},
		"a longer id, of a long entity": {saveEntry(ledger.Entry{Key: "events-api/main/" + long[:801], Entity: long, CreatedAt: noon}),
			"EVENT#events-api/main#" + digest(long[:801]) + " STATE EVENT#" + digest(long) + " 2026-01-05T12:00:00.000000000Z#" + digest("events-api/main/"+long[:801])},
		"a mark":                  {saveMark("catalogue", "product/6a9f"), "MARK#catalogue product/6a9f  "},
		"a mark of a long entity": {saveMark("catalogue", long), "MARK#catalogue " + digest(long) + "  "},
		"a gap": {func(ctx context.Context, d *ledger.DynamoDB) error {
			return d.SaveGap(ctx, ledger.Gap{PIM: "main", Subscription: "018e", From: noon})
		}, "GAP#main 2026-01-05T12:00:00.000000000Z#018e  "},
		"a gap of a long subscription": {func(ctx context.Context, d *ledger.DynamoDB) error {
			return d.SaveGap(ctx, ledger.Gap{PIM: "main", Subscription: long, From: noon})
		}, "GAP#main 2026-01-05T12:00:00.000000000Z#" + digest(long) + "  "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := &fakeDynamoDB{}
			fake.check(t, c.write(t.Context(), fake.open(t)), nil, 1)
			row := fake.calls[0].Item
			got := strings.Join([]string{row["pk"].S, row["sk"].S, row["gsi2pk"].S, row["gsi2sk"].S}, " ")
			if got != c.want {
				t.Errorf("keys %q, want %q", got, c.want)
			}
			if row["expires"].N != expires {
				t.Errorf("expires %s, want %s", row["expires"].N, expires)
			}
		})
	}
}

func saveEntry(entry ledger.Entry) func(context.Context, *ledger.DynamoDB) error {
	return func(ctx context.Context, d *ledger.DynamoDB) error {
		_, err := d.Save(ctx, entry)
		return err
	}
}

func saveMark(subscription, entity string) func(context.Context, *ledger.DynamoDB) error {
	return func(ctx context.Context, d *ledger.DynamoDB) error {
		_, err := d.SaveMark(ctx, ledger.Mark{Subscription: subscription, Entity: entity})
		return err
	}
}

func digest(of string) string {
	sum := sha256.Sum256([]byte(of))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// answering returns a store whose calls are all answered with one body, and how many there were.
func answering(t *testing.T, body string) (*ledger.DynamoDB, *atomic.Int64) {
	t.Helper()
	calls := &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return ledger.NewDynamoDB(ledger.DynamoDBConfig{Client: client(server.URL, server.Client()), Table: "table", Now: func() time.Time { return noon }}), calls
}

// stored is a row as it stands in the table, with a second to live.
func stored(record string) string {
	return fmt.Sprintf(`{"json":{"S":%q},"expires":{"N":"%d"}}`, record, noon.Add(time.Second).Unix())
}

func TestDynamoDBReadsARow(t *testing.T) {
	expired := strings.ReplaceAll(stored(`{"key":"k"}`), fmt.Sprint(noon.Add(time.Second).Unix()), fmt.Sprint(noon.Unix()))
	for name, c := range map[string]struct {
		body string
		want error // nil: found
	}{
		"there":              {`{"Item":` + stored(`{"key":"k"}`) + `}`, nil},
		"of this format":     {`{"Item":` + stored(fmt.Sprintf(`{"key":"k","format":%d}`, ledger.Format)) + `}`, nil},
		"of a newer format":  {`{"Item":` + stored(fmt.Sprintf(`{"key":"k","format":%d}`, ledger.Format+1)) + `}`, ledger.ErrNewer},
		"its time has ended": {`{"Item":` + expired + `}`, ledger.ErrNotFound},
		"there is none":      {`{}`, ledger.ErrNotFound},
		"no record":          {`{"Item":` + stored("nonsense") + `}`, errAway},
	} {
		d, _ := answering(t, c.body)
		entry, err := d.Get(t.Context(), "k")
		if c.want == errAway && (err == nil || errors.Is(err, ledger.ErrNotFound)) || c.want != errAway && !errors.Is(err, c.want) || c.want == nil && entry.Key != "k" {
			t.Errorf("%s: %q, %v", name, entry.Key, err)
		}
	}
}

func TestDynamoDBLists(t *testing.T) {
	one, two, newer := stored(`{"key":"1"}`), stored(`{"key":"2"}`), stored(fmt.Sprintf(`{"format":%d}`, ledger.Format+1))
	page := func(more string, rows ...string) string {
		return `{"Items":[` + strings.Join(rows, ",") + `]` + more + `}`
	}
	const goesOn = `,"LastEvaluatedKey":{"pk":{"S":"a"}}`
	for name, c := range map[string]struct {
		body  string
		limit int
		want  string
		fails bool
	}{
		"as many as there are":                 {page("", one, two), 2, "1 2", false},
		"fewer":                                {page("", one, two), 1, "1", false},
		"no more is read than is asked for":    {page(goesOn, one, two), 2, "1 2", false},
		"none":                                 {page(""), 2, "", false},
		"a newer version's record is left out": {page("", newer, two), 2, "2", false},
		"a row that is no record":              {page("", one, stored("nonsense")), 2, "", true},
	} {
		d, calls := answering(t, c.body)
		found, err := d.Recent(t.Context(), "main#product/1", c.limit)
		var got []string
		for _, entry := range found {
			got = append(got, entry.Key)
		}
		if strings.Join(got, " ") != c.want || (err != nil) != c.fails || calls.Load() != 1 {
			t.Errorf("%s: %q, %v after %d calls", name, got, err, calls.Load())
		}
	}
	// A hundred gaps are two hundred rows: no more are read.
	rows := make([]string, 200)
	for i := range rows {
		rows[i] = stored(fmt.Sprintf(`{"subscription":"s","from":%q}`, noon.Add(time.Duration(i)*time.Second).Format(time.RFC3339)))
	}
	d, calls := answering(t, page(goesOn, rows...))
	if found, err := d.Gaps(t.Context(), "main"); len(found) != 100 || err != nil || calls.Load() != 1 {
		t.Errorf("%d gaps, %v after %d calls", len(found), err, calls.Load())
	}
}

func TestDynamoDBWritesTheNextVersion(t *testing.T) {
	for version, want := range map[int64]string{0: "1", 6: "7"} {
		fake := &fakeDynamoDB{}
		saved, err := fake.open(t).Save(t.Context(), ledger.Entry{Key: "events-api/main/1", Version: version})
		if got := fake.calls[0].Item["version"].N; err != nil || got != want || fmt.Sprint(saved.Version) != want {
			t.Errorf("after %d: stored %s, saved %d, %v", version, got, saved.Version, err)
		}
	}
}
