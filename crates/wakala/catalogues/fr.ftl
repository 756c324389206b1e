# Français. Chaque texte reste dans l'alphabet GSM-7 (3GPP TS 23.038), qui ne connaît de nos accents que à, è, é et ù :
# d'où des tournures sans â, ç, ê, î, ô et û.

## L'argent qui bouge

sent = Réf { $ref } : { $amount } envoyés à { $payee }. Frais { $charges }. Solde { $balance }.
received = Réf { $ref } : { $amount } de { $sender } pour vous. Frais { $charges }. Solde { $balance }.
sent-by-password = Réf { $ref } : { $amount } pour { $payee }, à retirer avant le { $expires }. Frais { $charges }. Solde { $balance }.
withdrawal-password = Réf { $ref } : { $amount } de { $sender } avant le { $expires }. Mot de passe { $code }, pour vous seul. Tapez QT*votre numéro*mot de passe*code agent
verification-code = Réf { $ref } : code { $code }, { $minutes } min. A donner à l'agent { $agent } seul, à personne d'autre. Sur { $amount }, { $cash } EN ESPECES pour vous.
paid-out-by-you = Réf { $ref } : remettez { $cash } EN ESPECES à { $payee }. Votre commission { $commission }. Solde { $balance }.
already-paid-by-you = Réf { $ref } : déjà réglé le { $at }. Si ce n'est pas fait, remettez { $cash } EN ESPECES à { $payee }. Une seule fois.
paid-out-to-you = Réf { $ref } : prenez { $cash } EN ESPECES (sur { $amount }) chez l'agent { $agent }. Comptez avant de partir.
collected = Réf { $ref } : { $payee } a retiré { $amount }.
deposited = Réf { $ref } : { $amount } versés sur votre compte. Frais { $charges }. Solde { $balance }.
resent = Réf { $ref } : nouveau mot de passe pour { $amount } envoyé à { $payee }. L'ancien ne marche plus.
recalled = Réf { $ref } : envoi à { $payee } annulé. { $returned } vous reviennent. Solde { $balance }.
recalled-from-you = Réf { $ref } : { $sender } a repris { $amount }. Votre mot de passe ne marche plus.
recall-asked = Réf { $ref } : { $sender } vous demande de rendre { $amount }. D'accord ? Envoyez RA*{ $digits }*PIN. Sinon, ne faites rien.
recall-asked-for-you = Réf { $ref } : nous avons demandé à { $payee } de rendre { $amount }. Nous vous dirons si c'est accepté.
given-back = Réf { $ref } : { $amount } rendus à { $sender }. Solde { $balance }.
got-back = Réf { $ref } : { $returned } vous sont rendus par { $payee }. Solde { $balance }.
refunded = Réf { $ref } : { $payee } n'a pas retiré à temps. { $returned } vous reviennent. Solde { $balance }.
lapsed = Réf { $ref } : { $amount } de { $sender } : pas de retrait à temps, l'argent est reparti.
reminder = Réf { $ref } : { $amount } de { $sender } vous attend avant le { $expires }, puis repart. Retirez-le chez un agent.
cash-taken-in = Réf { $ref } : { $amount } EN ESPECES pris à { $customer }. Votre commission { $commission }. Solde { $balance }.
cash-put-in = Réf { $ref } : { $amount } déposés chez l'agent { $agent }. Frais { $charges }. Solde { $balance }.
cash-taken-out = Réf { $ref } : prenez { $cash } EN ESPECES chez l'agent { $agent }. Frais { $charges }. Solde { $balance }.
cash-to-hand-over = Réf { $ref } : remettez { $cash } EN ESPECES à { $customer }. Votre commission { $commission }. Solde { $balance }.
float-supplied = Réf { $ref } : fonds d'agent, { $amount } ajoutés. Solde { $balance }.
float-withdrawn = Réf { $ref } : fonds d'agent, { $amount } repris. Solde { $balance }.
unclaimed-paid = { $amount } qui vous attendaient vous sont versés. Solde { $balance }.

## Le compte

balance = Solde { $balance }.
statement = Solde { $balance }. Du plus récent au plus ancien :
statement-empty = Solde { $balance }. Pas encore d'opérations.
statement-line = { $day }/{ $month } { $change } { $what }
registration-code = Code { $code }. Un compte est demandé pour ce numéro. Seulement si c'est vous, envoyez RG*{ $code } avant { $minutes } min. Ne le dites à personne, ni à nos agents.
registration-code-contested = Code { $code }. Un compte est demandé pour ce numéro. Seulement si c'est vous, envoyez RG*{ $code }*votre PIN avant { $minutes } min. Ne le dites à personne, ni à nos agents.
registered = Bienvenue. Votre compte est ouvert. Ne dites votre PIN à personne. Envoyez HP pour l'aide.
code-told-before = Votre code est dans un message que vous avez déjà. Ne le donnez jamais à qui vous appelle.
one-time-pin = PIN provisoire { $code }. Envoyez PN*{ $code }*nouveau PIN avant { $minutes } min. Ne le donnez à personne, pas à nos agents non plus.
pin-changed = Votre PIN est changé. Si ce n'est pas vous, appelez vite le { $care }.
pin-unlocked = Votre PIN marche de nouveau. Si vous l'avez oublié, appelez le { $care }.
language-set = Désormais nous vous écrivons en francais.
agent-enrolled = Bienvenue. Vous avez le code agent { $agent }. Les clients l'écrivent. Envoyez HP pour l'aide.
frozen = Votre compte est bloqué. Appelez le { $care }.
unfrozen = Votre compte marche de nouveau.
closed = Votre compte est fermé. Questions : appelez le { $care }.
number-changed = Votre compte est maintenant sur ce numéro. Si ce n'est pas votre demande, appelez vite le { $care }.
number-left = Votre compte a quitté ce numéro pour un autre. Si ce n'est pas votre demande, appelez vite le { $care }.
tier-set = Niveau de votre compte : { $tier }.
tier-entry = de base
tier-standard = standard
tier-full = complet
card-bound = Votre carte SIM est activée. Utilisez désormais son menu : les messages écrits à la main ne sont plus acceptés.
receipt-genuine = Justificatif authentique. Réf { $ref } : { $what }, { $amount } à { $payee }, { $at }. { $standing }
standing-waiting = Pas encore retiré.
standing-done = C'est fait.
standing-returned = L'argent est reparti.

## Les mouvements, comme un justificatif les nomme

movement-to-wallet = transfert
movement-by-password = transfert avec mot de passe
movement-cash-in = versement
movement-cash-out = retrait
movement-float = fonds d'agent

## Les demandes, comme les refus et les relevés les nomment

request-transfer = transfert
request-query = demande de code
request-claim = retrait
request-resend = nouveau mot de passe
request-recall = annulation
request-agree = restitution
request-registration = inscription
request-cash-in = versement
request-cash-out = retrait
request-balance = solde
request-statement = relevé
request-change-pin = nouveau PIN
request-language = langue
request-check = justificatif
request-help = aide
request-refund = remboursement
request-office = par nos bureaux

## L'aide

help-stranger = De l'argent pour vous ? Envoyez QT*votre numéro*mot de passe*code agent. Ouvrir un compte : RG*PIN*nom
help-customer =
    Envoyer : TM*numéro*montant*PIN
    Retirer : CO*code agent*montant*PIN
    Encaisser : DP*mot de passe*PIN
    Solde : BL*PIN
    Relevé : ST*PIN
    Annuler : RC*référence*PIN
    Nouveau mot de passe : RS*référence*PIN
    Nouveau PIN : PN*ancien PIN*nouveau PIN
    Justificatif : CK*référence
    Langue : LG*EN
help-agent =
    Payer : GM*numéro*montant*code*PIN
    Versement : CI*numéro*montant*PIN
    Solde : BL*PIN
    Relevé : ST*PIN
    Nouveau PIN : PN*ancien PIN*nouveau PIN
    Justificatif : CK*référence
    Langue : LG*EN

## Les messages illisibles

malformed = { $fault } Ecrivez : { $form }
too-long = Message trop long. Rien n'est fait. Ecrivez un seul message court. Envoyez HP pour l'aide.
unknown = Message inconnu. Rien n'est fait. Envoyez HP pour l'aide.
fault-fields = Votre message est illisible.
fault-number = Vérifiez le numéro de téléphone.
fault-amount = Le montant est en chiffres seuls, comme 1500 ou 1500.50.
fault-pin = Un PIN a 4 à 6 chiffres.
fault-password = Un mot de passe a 8 chiffres.
fault-code = Le code a 6 chiffres.
fault-agent = Vérifiez le code agent.
fault-reference = Vérifiez la référence : elle a 12 chiffres.
fault-name = Vérifiez le nom.
fault-language = Choisissez EN, FR, SW ou ZH.
fault-identity = Vérifiez le numéro de la pièce d'identité.

## Les bonnes formes

form-transfer = TM*numéro*montant*PIN
form-query = QT*votre numéro*mot de passe*code agent
form-claim-by-code = GM*numéro*montant*code*PIN
form-claim-by-password = GW*numéro*montant*mot de passe*PIN
form-deposit = DP*mot de passe*PIN
form-resend = RS*référence*PIN
form-recall = RC*référence*PIN
form-agree = RA*référence*PIN
form-register = RG*PIN*nom
form-registration = RG*PIN*nom, puis RG*code
form-cash-in = CI*numéro*montant*PIN
form-cash-out = CO*code agent*montant*PIN
form-balance = BL*PIN
form-statement = ST*PIN
form-change-pin = PN*ancien PIN*nouveau PIN
form-language = LG*FR
form-check = CK*référence
form-help = HP

## Deux fois le message

repeated = Message répété : il ne compte qu'une fois. { $answer }
repeated-on-purpose = Message répété : il ne compte qu'une fois. { $answer } Pour recommencer exprès, ajoutez *2 à la fin.

## Les refus : chacun dit que faire

refused = Non effectué : { $asked }. { $why }
refused-not-registered = Ce numéro n'a pas de compte. Pour en ouvrir un, envoyez { form-register }
refused-not-for-agents = Réservé aux clients. Ecrivez d'un numéro qui n'est pas celui d'un agent.
refused-not-an-agent = Réservé aux agents. Envoyez HP pour l'aide.
refused-account-frozen = Votre compte est bloqué. Appelez le { $care }.
refused-not-sealed = Utilisez le menu de votre carte SIM. Les messages écrits à la main ne sont pas acceptés de ce numéro.
refused-plain-not-served = Utilisez le menu de votre carte SIM. Les messages écrits à la main ne sont pas acceptés.
refused-counter-too-low = Ecrivez de nouveau votre message et envoyez-le.
refused-card-blocked = Votre carte SIM ne peut plus servir ici. Appelez le { $care } pour en avoir une autre.
refused-slowed = Trop d'essais faux. Réessayez plus tard.
refused-wrong-pin = PIN faux. Vérifiez-le et renvoyez. Trop d'essais faux bloquent votre PIN.
refused-pin-locked = Votre PIN est bloqué après des essais faux. Réessayez plus tard.
refused-pin-locked-by-tries = Votre PIN est bloqué après trop d'essais faux. Appelez le { $care }.
refused-weak-pin = PIN trop facile à deviner. Prenez-en un autre : ni votre numéro, ni votre année de naissance, ni 1234.
refused-change-pin-first = Changez d'abord votre PIN provisoire : { form-change-pin }
refused-one-time-pin-expired = Votre PIN provisoire est périmé. Appelez le { $care } pour en avoir un autre.
refused-no-pin = Vous n'avez pas encore de PIN. Appelez le { $care }.
refused-same-pin = Le nouveau PIN est égal à l'ancien. Prenez-en un autre.
refused-not-mobile = Ce n'est pas un numéro de mobile. Vérifiez-le et renvoyez.
refused-to-oneself = C'est votre propre numéro. Ecrivez celui d'une autre personne.
refused-payee-is-agent = Ce numéro est celui d'un agent. Pour retirer chez un agent, envoyez { form-cash-out }
refused-payee-frozen = Ce numéro ne peut rien recevoir pour le moment.
refused-payee-not-registered = Ce numéro n'a pas de compte. Son titulaire peut en ouvrir un : { form-register }
refused-unknown-agent = Cet agent n'existe pas. Vérifiez le code agent et renvoyez.
refused-own-dealing = Impossible avec un numéro qui est à vous.
refused-other-currency = L'autre compte est dans une autre monnaie. Prenez un compte de la bonne monnaie.
refused-bad-amount = Vérifiez le montant et renvoyez, comme 1500 ou 1500.50.
refused-amount-too-small = Montant trop petit. Ecrivez-en un plus grand.
refused-amount-too-large = Montant trop grand pour une seule fois. Ecrivez-en un plus petit.
refused-day-limit = C'est plus que votre limite du jour. Ecrivez un montant plus petit ou attendez demain.
refused-month-limit = C'est plus que votre limite du mois. Ecrivez un montant plus petit ou attendez le mois prochain.
refused-payee-balance-limit = Ce numéro ne peut pas recevoir autant. Ecrivez un montant plus petit.
refused-not-enough-money = Vous n'avez pas assez d'argent pour le montant et les frais. Votre solde : { form-balance }
refused-not-enough-float = Fonds d'agent insuffisants. Ecrivez un montant plus petit, ou demandez des fonds d'abord.
refused-operator-funds-short = Impossible maintenant. Réessayez plus tard ou appelez le { $care }.
refused-charges-above-amount = Les frais dépassent le montant. Ecrivez un montant plus grand.
refused-wrong-password = Mot de passe faux. Vérifiez-le dans le message que vous avez eu et renvoyez.
refused-claims-paused = Trop de mots de passe faux. Réessayez plus tard.
refused-wrong-code = Code faux. Vérifiez-le avec le client et renvoyez. Peu d'essais sont permis.
refused-code-expired = Code périmé. Le client en demande un autre : QT*numéro*mot de passe*code agent
refused-codes-exhausted = Trop de codes faux : plus aucun agent ne peut payer. L'expéditeur peut annuler : { form-recall }
refused-nothing-to-pay-out = Rien à payer chez vous. Vérifiez numéro et montant. Le client envoie d'abord QT*numéro*mot de passe*code agent
refused-other-agent = Le client a choisi un autre agent. Pour vous choisir, il envoie QT*numéro*mot de passe*code agent
refused-already-paid = C'est déjà payé. Ne remettez pas d'argent.
refused-identity-needed = Ajoutez à la fin le numéro de la pièce d'identité : *numéro
refused-password-at-agent-off = Ce service n'existe pas ici. Le client doit envoyer QT*numéro*mot de passe*code agent
refused-password-at-agent-closed = Fermé après un mot de passe faux. Le client doit envoyer QT*numéro*mot de passe*code agent
refused-not-your-number = Envoyez ce message du téléphone dont vous écrivez le numéro.
refused-nothing-waiting = Rien n'attend pour ce numéro. Voyez avec l'expéditeur.
refused-unknown-reference = Pas de transfert trouvé avec cette référence. Vérifiez-la et renvoyez.
refused-not-waiting = Ce transfert n'attend plus. Pour savoir où il en est : { form-check }
refused-too-many-resends = Plus de nouveau mot de passe pour ce transfert. Vous pouvez l'annuler : { form-recall }
refused-not-recallable = Ce transfert ne peut plus revenir. Appelez le { $care }.
refused-recall-already-asked = C'est déjà demandé. Attendez la réponse.
refused-no-recall-asked = Personne n'a demandé de rendre ce transfert. Il n'y a rien à faire.
refused-already-returned = L'argent est déjà rendu. Il n'y a rien à faire.
refused-already-registered = Ce numéro a déjà un compte. Envoyez HP pour l'aide.
refused-no-registration = Pas d'inscription en cours. Commencez par { form-register }
refused-wrong-registration-code = Code faux. Vérifiez-le dans le message que vous avez eu et renvoyez.
refused-registration-expired = Code périmé. Recommencez par { form-register }
refused-wrong-registration-pin = PIN faux. Envoyez celui que vous avez choisi, ou recommencez par { form-register }
refused-registration-contested = Plus d'un PIN a été choisi pour ce numéro. Si c'était vous, envoyez RG*code*PIN avec votre propre PIN.
refused-too-many-registrations = Trop d'inscriptions aujourd'hui. Réessayez demain.
refused-unknown-staff = Cet employé n'existe pas.
refused-unknown-proposal = Cette proposition n'existe pas.
refused-proposal-closed = Cette proposition est déjà close.
refused-same-person = Une deuxième personne doit approuver.
refused-bank-reference-used = Cette référence de banque a déjà servi.
refused-name-taken = Ce nom ou ce code est déjà pris. Prenez-en un autre.
refused-unknown-account = Ce numéro n'a pas de compte. Vérifiez-le.
refused-wrong-state = L'état du compte ne le permet pas.
refused-unknown-case = Ce dossier n'existe pas ou est clos.
refused-staff-enrolled = Il y a déjà des employés. Il faut deux personnes pour en ajouter.
refused-unsound-tariff = Ce tarif n'est pas cohérent. Corrigez-le.
refused-payee-must-register = Ce numéro a atteint sa limite sans compte. Son titulaire peut en ouvrir un : { form-register }
refused-card-in-use = Cette carte SIM sert déjà à un autre numéro.
refused-codes-missing = Renvoyez votre message.
refused-too-many-receipts = Trop de justificatifs vérifiés. Réessayez dans une heure.

## Les heures

moment = { $day } { $month ->
        [1] janv
        [2] févr
        [3] mars
        [4] avr
        [5] mai
        [6] juin
        [7] juil
        [8] aout
        [9] sept
        [10] oct
        [11] nov
       *[12] déc
    } { $clock }
