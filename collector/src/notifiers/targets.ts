import * as z from 'zod/mini';
import { createAddressGuard, isForbiddenLiteral } from './address-guard.ts';
import { createEmailNotifier } from './email/email.ts';
import { emailSettings, mailAddress, type SmtpSettings } from './email/settings.ts';
import { forbiddenTarget } from './http.ts';
import type { Notifier, NotifierDeps } from './notifier.ts';
import { webhookSettings } from './webhook/settings.ts';
import { createWebhookNotifier } from './webhook/webhook.ts';

/** Where a subscription may go that has an address of its own, typed by a person. */
export type TargetType = 'webhook' | 'email';

/** One kind of target. */
export interface TargetKind {
  /** A sentence why this address cannot be one; null when it can. */
  readonly refuse: (target: string) => string | null;
  readonly create: (target: string, receiver: string) => Notifier;
}

export type TargetKinds = Readonly<Record<TargetType, TargetKind | null>>;

/** What there can be on this collector; null where the configuration lacks something. */
export function createTargetKinds(
  deps: Omit<NotifierDeps, 'receiver'>,
  {
    allowed_cidrs: allowedCidrs,
    smtp,
  }: { readonly allowed_cidrs: readonly string[]; readonly smtp?: SmtpSettings | undefined },
): TargetKinds {
  const guard = createAddressGuard(allowedCidrs);
  return {
    webhook: {
      refuse: (target) => {
        if (!URL.canParse(target) || !/^https?:$/.test(new URL(target).protocol))
          return 'expected a URL such as https://example.org/hook';
        return isForbiddenLiteral(new URL(target), guard) ? forbiddenTarget : null;
      },
      create: (url, receiver) =>
        createWebhookNotifier(z.parse(webhookSettings, { type: 'webhook', url }), { ...deps, receiver, guard }),
    },
    email:
      smtp === undefined
        ? null
        : {
            refuse: (target) =>
              z.safeParse(mailAddress, target).success ? null : 'expected a mail address such as ops@example.org',
            create: (to, receiver) =>
              createEmailNotifier(
                { ...z.parse(emailSettings, { type: 'email', to: [to] }), smtp },
                { ...deps, receiver },
              ),
          },
  };
}

/** A sentence why this cannot be a target; null when it can. */
export function refuseTarget(kinds: TargetKinds, type: TargetType, target: string): string | null {
  const kind = kinds[type];
  return kind === null ? 'email cannot be sent: notifications.smtp is missing in collector.yaml' : kind.refuse(target);
}

/** A notifier for `webhook:<id>` or `email:<id>`; null when there is no such kind here. */
export function createForTarget(kinds: TargetKinds, receiver: string, target: string): Notifier | null {
  const type = receiver.split(':')[0];
  return type === 'webhook' || type === 'email' ? (kinds[type]?.create(target, receiver) ?? null) : null;
}
