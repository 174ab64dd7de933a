package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	queuetypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pim-functions/pim-functions/ci/stack"
	"github.com/pim-functions/pim-functions/shared/senders"
	"github.com/pim-functions/pim-functions/shared/table"
)

const tableName = "sam-local"

// createState makes queues, table, bucket and secrets, and returns the functions' variables, which name them.
func createState(ctx context.Context, p proofs, erp string) (map[string]string, error) {
	account := stack.Account()
	variables := map[string]string{
		"STAGE":      "local", // the entry of environments that takes plain http addresses
		"TABLE_NAME": tableName, "EVENT_BUS_NAME": "default", "PIM_URL": "https://pim.example.com", "ERP_URL": erp,
		"ALLOW_PRIVATE_NETWORK": "true", // the destination is on this machine
		"FILES_BUCKET":          "sam-local", "FILES_HOST": "sam-local.example.com", "PUBLIC_URL": "https://x.example.com",
	}
	queues := sqs.NewFromConfig(account)
	for variable, name := range map[string]string{"JOBS_QUEUE_URL": "jobs", "EVENTS_QUEUE_URL": "events", "EVENTS_DLQ_URL": "events-dead"} {
		made, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("sam-local-" + name)})
		if err != nil {
			return nil, err
		}
		variables[variable] = aws.ToString(made.QueueUrl)
	}
	if _, err := dynamodb.NewFromConfig(account).CreateTable(ctx, table.Definition(tableName)); err != nil {
		return nil, err
	}
	if _, err := stack.Objects().CreateBucket(ctx, &s3.CreateBucketInput{
		Bucket:                    aws.String(variables["FILES_BUCKET"]),
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(account.Region)},
	}); err != nil {
		return nil, err
	}
	type object = map[string]any
	documents := secretsmanager.NewFromConfig(account)
	for variable, document := range map[string]object{
		"SIGNING_SECRET_ID": {
			"extensions": object{
				"export_to_erp": object{"secrets": []string{p.press}}, "jobs_panel": object{"secrets": []string{p.panel}},
				"product_history": object{"credential": object{"type": "bearer", "token": p.history}},
			},
			"events-api": object{"main": []string{p.events}}, "event-platform": object{"main": []string{p.events}}, "contentful": []string{p.contentful},
		},
		"LINK_SECRET_ID":       {"current": p.link},
		"CONNECTION_SECRET_ID": {"auth": object{"erp": object{"bearer": p.token}}, "values": object{"slack": erp + "/slack"}},
	} {
		text, err := json.Marshal(document)
		if err != nil {
			return nil, err
		}
		variables[variable] = "sam-local/" + variable
		_, err = documents.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String(variables[variable]), SecretString: aws.String(string(text))})
		if err != nil {
			return nil, err
		}
	}
	return variables, nil
}

// take takes the messages that are in a queue out of it.
func take(ctx context.Context, address string) (found []senders.Message, err error) {
	client := sqs.NewFromConfig(stack.Account())
	for {
		got, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &address, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, MessageAttributeNames: []string{"All"},
			MessageSystemAttributeNames: []queuetypes.MessageSystemAttributeName{queuetypes.MessageSystemAttributeNameAll},
		})
		if err != nil || len(got.Messages) == 0 {
			return found, err
		}
		for _, message := range got.Messages {
			sent, err := strconv.ParseInt(message.Attributes["SentTimestamp"], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("message without the time of its sending: %w", err)
			}
			attributes := map[string]string{}
			for name, value := range message.MessageAttributes {
				attributes[name] = aws.ToString(value.StringValue)
			}
			found = append(found, senders.Message{
				ID: aws.ToString(message.MessageId), Receipt: aws.ToString(message.ReceiptHandle), Body: aws.ToString(message.Body),
				Attributes: attributes, Sent: time.UnixMilli(sent),
			})
			if _, err := client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &address, ReceiptHandle: message.ReceiptHandle}); err != nil {
				return nil, err
			}
		}
	}
}

// job reads the record of a job.
func job(ctx context.Context, id string) (job stack.Job, err error) {
	got, err := dynamodb.NewFromConfig(stack.Account()).GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(tableName), ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "JOB#" + id}, "sk": &types.AttributeValueMemberS{Value: "STATE"}},
	})
	if err != nil {
		return job, err
	}
	text, ok := got.Item["json"].(*types.AttributeValueMemberS)
	if !ok {
		return job, fmt.Errorf("job %s has no record", id)
	}
	return job, json.Unmarshal([]byte(text.Value), &job)
}
