import { RemovalPolicy, SecretValue, Stack, Validations } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';

/** The vendors' keys, and the first key of a caller, which keeps the URL closed from its first minute. */
export class GatewaySecrets extends Construct {
  readonly vendorKeys: Secret;
  readonly vendorKeysName: string;
  readonly firstKey: Secret;
  readonly firstKeyName: string;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const { stackName } = Stack.of(this);
    this.vendorKeysName = `${stackName}/vendor-keys`;
    this.firstKeyName = `${stackName}/first-key`;
    this.vendorKeys = new Secret(this, 'VendorKeys', {
      secretName: this.vendorKeysName,
      description: 'Keys of the model vendors: a JSON object, provider name to key or list of keys.',
      // Never change this value: CloudFormation writes it again when it changes, over the keys that people put there.
      secretStringValue: SecretValue.unsafePlainText('{}'),
      // Typed in by people, so it outlives the stack; a first deployment that failed has nothing to keep.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    this.firstKey = new Secret(this, 'FirstKey', {
      secretName: this.firstKeyName,
      description: 'The first key for callers of the gateway, as plain text.',
      // Never change these options: CloudFormation would generate another key, and every caller would be locked out.
      generateSecretString: { passwordLength: 48, excludePunctuation: true },
      // It opens this gateway and nothing else, so it goes with it.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    acknowledgeNoRotation(this.vendorKeys, 'Only the vendor can issue a new key; people put it here.');
    acknowledgeNoRotation(
      this.firstKey,
      'Rotation would lock out every caller; keys are changed by adding a second one.',
    );
  }
}

function acknowledgeNoRotation(secret: Secret, reason: string): void {
  Validations.of(secret).acknowledge({ id: 'AwsSolutions-SMG4', reason });
}
