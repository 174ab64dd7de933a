package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pim-functions/pim-functions/ci/stack"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// ticks: a schedule that is due becomes a job, once.
func (b *bench) ticks(ctx context.Context) error {
	records := jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: dynamodb.NewFromConfig(stack.Account()), Table: tableName, Now: time.Now})
	if err := records.SaveTick(ctx, jobs.Tick{Key: "nightly/main", Seen: time.Now().Add(-48 * time.Hour)}); err != nil {
		return err
	}
	for range 2 {
		if err := b.invoke(ctx, "ClockFunction", struct{}{}, new(any)); err != nil {
			return err
		}
	}
	messages, err := take(ctx, b.variables["JOBS_QUEUE_URL"])
	if err != nil {
		return err
	}
	tick, err := records.Tick(ctx, "nightly/main")
	if err != nil {
		return err
	}
	if len(messages) != 1 || tick.Due.IsZero() {
		return fmt.Errorf("ClockFunction sent %d messages and keeps %+v", len(messages), tick)
	}
	fmt.Println("ClockFunction: two ticks, a job for the schedule that was due at", tick.Due.Format(time.RFC3339))
	return nil
}
