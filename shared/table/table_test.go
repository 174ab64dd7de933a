package table_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pim-functions/pim-functions/shared/table"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// call is what the tests look at of a request in DynamoDB's JSON protocol.
type call struct {
	Operation                 string `json:"-"`
	TableName, IndexName      string
	ConsistentRead            bool
	ScanIndexForward          *bool
	Limit                     int
	Key, ExclusiveStartKey    attributes
	KeyConditionExpression    string
	FilterExpression          string
	ExpressionAttributeValues attributes
	ConditionExpression       string
	Item                      attributes
	ClientRequestToken        string
	TransactItems             []struct{ Put, Update, Delete *call }
}

type attributes map[string]struct{ S, N string }

// fakeDynamoDB answers with a test's plan: one body per call, an error's if it names a type; {} after the last.
type fakeDynamoDB struct {
	mu    sync.Mutex
	plan  []func(call) string
	calls []call
}

func (f *fakeDynamoDB) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var c call
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, c.Operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	f.calls = append(f.calls, c)
	body := "{}"
	if n := len(f.calls); n <= len(f.plan) {
		body = f.plan[n-1](c)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if strings.Contains(body, `"__type"`) {
		w.WriteHeader(http.StatusBadRequest)
	}
	fmt.Fprint(w, body)
}

func body(text string) func(call) string { return func(call) string { return text } }

// open returns a table on the fake, whose client makes one attempt per call.
func (f *fakeDynamoDB) open(t *testing.T) *table.Table {
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	client := dynamodb.NewFromConfig(aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(server.URL), HTTPClient: server.Client(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.RateLimiter = 1, ratelimit.None })
		},
	})
	return table.New(table.Config{Client: client, Table: "table", Now: func() time.Time { return noon }})
}

// A record that was written a moment ago decides whether work is done twice: reads see all earlier writes, but in an
// index, where DynamoDB cannot.
func TestReadsAreConsistent(t *testing.T) {
	fake := &fakeDynamoDB{}
	rows := fake.open(t)
	if row, err := rows.Get(t.Context(), "JOB#a", "STATE"); len(row) != 0 || err != nil {
		t.Errorf("%v, %v", row, err)
	}
	for _, index := range []string{"", table.OwnerIndex} {
		for _, err := range rows.Rows(t.Context(), table.Query{Index: index, Where: "pk = :pk", Values: table.Row{":pk": table.Text("a")}}) {
			t.Error(err)
		}
	}
	if len(fake.calls) != 3 {
		t.Fatalf("%d calls", len(fake.calls))
	}
	for _, c := range fake.calls {
		if c.ConsistentRead != (c.IndexName == "") || c.TableName != "table" {
			t.Errorf("%s of %q: consistent %t, table %q", c.Operation, c.IndexName, c.ConsistentRead, c.TableName)
		}
	}
	if key := fake.calls[0].Key; key["pk"].S != "JOB#a" || key["sk"].S != "STATE" {
		t.Errorf("key %v", key)
	}
}

func TestRowsReadsPageAfterPageAsItIsAsked(t *testing.T) {
	page := func(next string, names ...string) func(call) string {
		var items []string
		for _, name := range names {
			items = append(items, `{"sk":{"S":"`+name+`"}}`)
		}
		return body(`{"Items":[` + strings.Join(items, ",") + `]` + next + `}`)
	}
	const next = `,"LastEvaluatedKey":{"sk":{"S":"b"}}`
	for _, c := range []struct {
		name  string
		stop  int // rows after which the reader has enough; 0: never
		plan  []func(call) string
		want  []string
		calls int
		fails bool
	}{
		{"one page", 0, []func(call) string{page("", "a", "b")}, []string{"a", "b"}, 1, false},
		{"two pages", 0, []func(call) string{page(next, "a", "b"), page("", "c")}, []string{"a", "b", "c"}, 2, false},
		{"a page of rows that have all expired", 0, []func(call) string{page(next), page("", "c")}, []string{"c"}, 2, false},
		{"enough after the first page", 2, []func(call) string{page(next, "a", "b"), page("", "c")}, []string{"a", "b"}, 1, false},
		{"the second page fails", 0, []func(call) string{page(next, "a"), body(`{"__type":"x#AccessDeniedException"}`)}, []string{"a"}, 2, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := &fakeDynamoDB{plan: c.plan}
			var got []string
			var failed error
			for row, err := range fake.open(t).Rows(t.Context(), table.Query{
				Index: table.EntityIndex, Where: "gsi2pk = :key", Values: table.Row{":key": table.Text("k")}, Since: noon, Last: true, Page: 2,
			}) {
				if err != nil {
					failed = err
					continue
				}
				if got = append(got, row.Text(table.SK)); len(got) == c.stop {
					break
				}
			}
			if !slices.Equal(got, c.want) || len(fake.calls) != c.calls || (failed != nil) != c.fails {
				t.Errorf("rows %q, %d calls, error %v", got, len(fake.calls), failed)
			}
			for i, sent := range fake.calls {
				if sent.IndexName != "gsi2" || sent.KeyConditionExpression != "gsi2pk = :key" || sent.FilterExpression != "expires > :since" ||
					sent.ExpressionAttributeValues[":since"].N != fmt.Sprint(noon.Unix()) || *sent.ScanIndexForward || sent.Limit != 2 ||
					(sent.ExclusiveStartKey["sk"].S == "b") != (i > 0) {
					t.Errorf("call %d: %+v", i, sent)
				}
			}
		})
	}
}

func TestAQueryLeavesOutWhatItDoesNotSay(t *testing.T) {
	fake := &fakeDynamoDB{}
	for range fake.open(t).Rows(t.Context(), table.Query{Where: "pk = :pk", Values: table.Row{":pk": table.Text("a")}}) {
	}
	if c := fake.calls[0]; c.FilterExpression != "" || c.Limit != 0 || !*c.ScanIndexForward || len(c.ExpressionAttributeValues) != 1 {
		t.Errorf("%+v", c)
	}
}

func TestWhatARowHolds(t *testing.T) {
	row := table.Row{"text": table.Text("a"), "number": table.Number(-7), table.Expires: table.Seconds(noon)}
	if row.Text("text") != "a" || row.Text("number") != "" || row.Text("none") != "" {
		t.Error("text")
	}
	if row.Number("number") != -7 || row.Number("text") != 0 || row.Number("none") != 0 {
		t.Error("number")
	}
	if !row.Live(noon.Add(-time.Second)) || row.Live(noon) || table.Row(nil).Live(time.Unix(-1, 0)) {
		t.Error("a row lives until its time, and none does not")
	}
}

// state is a step that writes one versioned row.
func state(rows *table.Table, version int64) *table.Step {
	step := rows.Step()
	row := table.Key("JOB#a", "STATE")
	step.Stamp(row, []byte(`{}`), version+1, noon.Add(time.Hour))
	step.Put(row, step.At(version))
	return step
}

func TestAStepOfOneRowIsNoTransaction(t *testing.T) {
	for _, c := range []struct {
		name      string
		add       func(*table.Step)
		operation string
		condition string
	}{
		{"a put where nothing is", func(s *table.Step) { s.Put(table.Key("a", "b"), s.At(0)) }, "PutItem", "attribute_not_exists(pk) OR expires <= :now"},
		{"a put over a version", func(s *table.Step) { s.Put(table.Key("a", "b"), s.At(3)) }, "PutItem", "version = :version AND expires > :now"},
		{"a put over anything", func(s *table.Step) { s.Put(table.Key("a", "b"), table.Condition{}) }, "PutItem", ""},
		{"the next version", func(s *table.Step) { s.Rewrite("a", "b", nil, 3, noon) }, "UpdateItem", "version = :version AND expires > :now"},
		{"a removal", func(s *table.Step) { s.Delete("a", "b", table.Condition{Expression: "holder = :self"}) }, "TransactWriteItems", "holder = :self"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := &fakeDynamoDB{}
			step := fake.open(t).Step()
			c.add(step)
			if refusal, err := step.Commit(t.Context()); refusal != nil || err != nil {
				t.Fatalf("%v, %v", refusal, err)
			}
			got := fake.calls[0]
			if got.Operation != c.operation {
				t.Errorf("operation %s", got.Operation)
			}
			if len(got.TransactItems) > 0 {
				got = *got.TransactItems[0].Delete
			}
			if got.ConditionExpression != c.condition || (c.condition == "") != (got.ExpressionAttributeValues == nil && c.operation == "PutItem") && c.operation == "PutItem" {
				t.Errorf("condition %q of %v", got.ConditionExpression, got.ExpressionAttributeValues)
			}
		})
	}
}

func TestAStepKnowsItsOwnWrite(t *testing.T) {
	refused := func(writer string) string {
		return `{"__type":"x#ConditionalCheckFailedException","Item":{"writer":{"S":"` + writer + `"}}}`
	}
	for name, c := range map[string]struct {
		plan func(call) string
		own  bool
	}{
		"its answer was lost": {func(c call) string { return refused(c.Item["writer"].S) }, true},
		"another wrote":       {func(call) string { return refused("another") }, false},
		"there is no row":     {func(call) string { return `{"__type":"x#ConditionalCheckFailedException"}` }, false},
	} {
		t.Run(name, func(t *testing.T) {
			fake := &fakeDynamoDB{plan: []func(call) string{c.plan}}
			step := state(fake.open(t), 3)
			refusal, err := step.Commit(t.Context())
			before, refused := refusal.At(0)
			if err != nil || !refused || step.Wrote(before) != c.own {
				t.Errorf("refused %t, own %t, error %v", refused, step.Wrote(before), err)
			}
			if _, refused := refusal.At(1); refused {
				t.Error("an action that is not there was refused")
			}
		})
	}
}

func TestAStepStampsItsRow(t *testing.T) {
	fake := &fakeDynamoDB{}
	if _, err := state(fake.open(t), 3).Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	item := fake.calls[0].Item
	if item["json"].S != "{}" || item["version"].N != "4" || item["writer"].S == "" || item["expires"].N != fmt.Sprint(noon.Add(time.Hour).Unix()) {
		t.Errorf("%v", item)
	}
	values := fake.calls[0].ExpressionAttributeValues
	if values[":version"].N != "3" || values[":now"].N != fmt.Sprint(noon.Unix()) {
		t.Errorf("condition over %v", values)
	}
}

func TestAStepWaitsForOthersOnTheSameRows(t *testing.T) {
	cancelled := func(reasons ...string) func(call) string {
		for i, code := range reasons {
			reasons[i] = `{"Code":"` + code + `"}`
		}
		return body(`{"__type":"x#TransactionCanceledException","CancellationReasons":[` + strings.Join(reasons, ",") + `]}`)
	}
	const refusedCode, conflict, none = "ConditionalCheckFailed", "TransactionConflict", "None"
	for _, c := range []struct {
		name    string
		plan    []func(call) string
		calls   int
		refused []bool
		fails   bool
	}{
		{"done at once", nil, 1, []bool{false, false}, false},
		{"another transaction first", []func(call) string{cancelled(conflict, none)}, 2, []bool{false, false}, false},
		{"throttled", []func(call) string{cancelled("ThrottlingError", none), cancelled(none, "ProvisionedThroughputExceeded")}, 3, []bool{false, false}, false},
		{"refused", []func(call) string{cancelled(none, refusedCode)}, 1, []bool{false, true}, false},
		{"what the other leaves decides", []func(call) string{cancelled(conflict, refusedCode), cancelled(refusedCode, none)}, 2, []bool{true, false}, false},
		{"six times", slices.Repeat([]func(call) string{cancelled(conflict, none)}, 7), 6, []bool{false, false}, true},
		{"an action that is wrong", []func(call) string{cancelled("ValidationError", none)}, 1, []bool{false, false}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			fake := &fakeDynamoDB{plan: c.plan}
			step := state(fake.open(t), 0)
			step.Put(table.Key("JOB#a", "ITEMS"), table.Condition{})
			refusal, err := step.Commit(t.Context())
			if (err != nil) != c.fails || len(fake.calls) != c.calls {
				t.Errorf("%d calls, error %v", len(fake.calls), err)
			}
			for place, want := range c.refused {
				if _, refused := refusal.At(place); refused != want {
					t.Errorf("place %d refused: %t", place, refused)
				}
			}
			for _, sent := range fake.calls {
				if sent.ClientRequestToken == "" || sent.ClientRequestToken != sent.TransactItems[0].Put.Item["writer"].S {
					t.Errorf("token %q", sent.ClientRequestToken)
				}
			}
		})
	}
}

func TestAStepWaitsNoLongerThanItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	fake := &fakeDynamoDB{plan: []func(call) string{func(call) string {
		cancel()
		return `{"__type":"x#TransactionConflictException"}`
	}}}
	if _, err := state(fake.open(t), 0).Commit(ctx); !errors.Is(err, context.Canceled) || len(fake.calls) != 1 {
		t.Errorf("%d calls, error %v", len(fake.calls), err)
	}
}

func TestAddress(t *testing.T) {
	if got := table.Address(t.Context(), aws.Config{Region: "eu-west-1"}); got != "https://dynamodb.eu-west-1.amazonaws.com" {
		t.Errorf("%q", got)
	}
	if got := table.Address(t.Context(), aws.Config{BaseEndpoint: aws.String("://")}); got != "" {
		t.Errorf("%q for an address that is none", got)
	}
}
